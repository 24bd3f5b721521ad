//! Columnar and text files into records, and rows, decisions and scores into files.
