use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;

use super::{RECEIVED_AT, plain_mapping, types, written};
use crate::{EventSource, RowStream};
use acumen_base::Time;

#[test]
fn a_stream_of_records_becomes_events() {
    let n = Int64Array::from(vec![1, 2]);
    let at = StringArray::from(vec!["2024-01-01", "2024-01-02"]);
    let c = StringArray::from(vec!["a", "b"]);
    let price = Float64Array::from(vec![Some(1.5), None]);
    let batch = RecordBatch::try_from_iter(vec![
        ("n", Arc::new(n) as Arc<dyn Array>),
        ("at", Arc::new(at)),
        ("c", Arc::new(c)),
        ("price", Arc::new(price)),
    ])
    .unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.write(&batch).unwrap();
    let bytes = writer.into_inner().unwrap();
    let input = Box::new(std::io::Cursor::new(bytes.clone()));
    let mut source =
        EventSource::of_stream(input, &plain_mapping(), &types(), RECEIVED_AT).unwrap();
    let mut events = 0;
    while let Some(batch) = source.next_batch().unwrap() {
        events += batch.events.len();
        assert_eq!(batch.rejected.len(), 1, "{:?}", batch.rejected);
    }
    assert_eq!(events, 2);

    let cut = Box::new(std::io::Cursor::new(bytes[..bytes.len() - 30].to_vec()));
    let mut source = EventSource::of_stream(cut, &plain_mapping(), &types(), RECEIVED_AT).unwrap();
    assert_eq!(source.next_batch().unwrap().unwrap().events.len(), 1);
    let error = source.next_batch().unwrap_err().to_string();
    assert!(error.contains("the Arrow stream"), "{error}");

    let no_stream = Box::new(std::io::Cursor::new(b"PAR1 something".to_vec()));
    let problems = EventSource::of_stream(no_stream, &plain_mapping(), &types(), RECEIVED_AT);
    let problems = problems.err().unwrap();
    assert_eq!(problems[0].code, "not_arrow", "{problems:?}");
}

#[test]
fn rows_come_out_as_they_went_in() {
    let columns = written::columns(&["amount", "count"]);
    let mut bytes = Vec::new();
    let mut stream = RowStream::begin(&mut bytes, &columns).unwrap();
    stream
        .write(
            &["a", "b"],
            &[Time(5), Time(6)],
            &[0.1, f64::NAN, -0.0, 4.0],
        )
        .unwrap();
    stream.finish().unwrap();
    let batches: Vec<RecordBatch> = StreamReader::try_new(bytes.as_slice(), None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let column = |name| batches[0][name].as_primitive::<Float64Type>();
    assert!(batches[0]["amount"].is_null(1));
    assert_eq!(column("amount").value(0), 0.1);
    assert_eq!(column("count").value(0).to_bits(), (-0.0_f64).to_bits());
}
