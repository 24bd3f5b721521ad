//! Where a source lies, with what may be said of it and what may not.

use std::collections::BTreeMap;

use acumen_base::nearest;

/// Variables that addresses and credentials are read from.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process; one that is not UTF-8 is none.
    pub fn of_process() -> Environment {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment(std::env::vars_os().filter_map(text).collect())
    }

    /// These and no others.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Environment {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Environment(variables.into_iter().map(owned).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

/// An address whose variables are filled in. It is never printed: what is shown is as declared.
pub(crate) struct Address {
    /// With the values of the variables.
    pub(crate) full: String,
    /// What must not be said, and what is said in its place.
    secrets: Vec<(String, String)>,
}

impl Address {
    /// Fills `${NAME}` in from the environment.
    ///
    /// # Errors
    /// A message and what to do, where a variable is not set.
    pub(crate) fn resolve(
        declared: &str,
        environment: &Environment,
    ) -> Result<Address, (String, String)> {
        let mut address = Address {
            full: String::with_capacity(declared.len()),
            secrets: Vec::new(),
        };
        let mut rest = declared;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                let message = format!("`{declared}` has a `${{` that is not closed");
                return Err((message, "write `${NAME}`".into()));
            };
            let Some(value) = environment.0.get(name) else {
                let known = environment.0.keys().map(String::as_str);
                let near = nearest(name, known).map(|near| format!(" (there is `{near}`)"));
                let message = format!("the variable `{name}` of the environment is not set");
                let help = format!("set it before the command{}", near.unwrap_or_default());
                return Err((message, help));
            };
            address.full.push_str(before);
            address.full.push_str(value);
            address.keep_quiet(value, &format!("${{{name}}}"));
            rest = after;
        }
        address.full.push_str(rest);
        if let Some(password) = password(&address.full).map(str::to_owned) {
            address.keep_quiet(&password, "…");
        }
        Ok(address)
    }

    fn keep_quiet(&mut self, secret: &str, shown: &str) {
        if !secret.is_empty() {
            self.secrets.push((secret.to_owned(), shown.to_owned()));
        }
    }

    /// A text of others about this address, without what must not be said.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (secret, shown) in &self.secrets {
            text = text.replace(secret, shown);
        }
        text
    }
}

/// The password within an address, if one stands there.
pub(crate) fn password(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let (credentials, _) = authority.rsplit_once('@')?;
    let (_, password) = credentials.split_once(':')?;
    (!password.is_empty()).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_never_said() {
        let environment = Environment::of([("SHOP_PW", "s3cret"), ("SHOP_HOST", "db")]);
        let declared = "postgres://reader:${SHOP_PW}@${SHOP_HOST}/shop";
        let address = Address::resolve(declared, &environment).unwrap();
        assert_eq!(address.full, "postgres://reader:s3cret@db/shop");
        assert_eq!(
            address.redact("refused: s3cret at db"),
            "refused: ${SHOP_PW} at ${SHOP_HOST}"
        );
        let whole = Environment::of([("SHOP", "postgres://reader:s3cret@db/shop")]);
        let address = Address::resolve("${SHOP}", &whole).unwrap();
        assert!(!address.redact("no user s3cret").contains("s3cret"));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let environment = Environment::of([("SHOP_PASSWORD", "x")]);
        let refused = Address::resolve("postgres://a:${SHOP_PASWORD}@db/shop", &environment);
        let (message, help) = refused.err().unwrap();
        assert!(message.contains("SHOP_PASWORD"), "{message}");
        assert!(help.contains("SHOP_PASSWORD"), "{help}");
    }

    #[test]
    fn a_password_is_found_where_it_stands() {
        assert_eq!(password("postgres://a:b@h/d"), Some("b"));
        assert_eq!(password("postgres://a@h/d"), None);
        assert_eq!(password("sqlite:shop.db"), None);
        assert_eq!(password("s3://bucket/a:b@c"), None);
    }
}
