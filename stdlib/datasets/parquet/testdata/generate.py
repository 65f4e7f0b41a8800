# Writes kinds.parquet as pyarrow (26) does: columns of all kinds, in two row groups.
#
#	python generate.py kinds.parquet
import datetime, decimal, sys
import pyarrow as pa, pyarrow.parquet as pq
n = 5
table = pa.table({
    'text': pa.array(['one', None, 'drei', 'vier', 'fünf']),
    'count': pa.array([1, 2, None, 4, 5], pa.int32()),
    'big': pa.array([2**53 + 1, 2, 3, 4, 5], pa.int64()),
    'score': pa.array([0.5, 1.0, None, 0.25, 2], pa.float64()),
    'small': pa.array([0.1, 1.0, 2, 0.25, 2], pa.float32()),
    'sure': pa.array([True, False, None, True, True]),
    'label': pa.array(['a', 'b', 'a', 'a', 'b']).dictionary_encode(),
    'tags': pa.array([['x', 'y'], [], None, ['z'], ['z']], pa.list_(pa.string())),
    'who': pa.array([{'name': 'Ann', 'age': 3}, None, {'name': 'Bo', 'age': None}, {'name': 'C', 'age': 1}, {'name': 'D', 'age': 1}], pa.struct([('name', pa.string()), ('age', pa.int64())])),
    'turns': pa.array([[{'role': 'user', 'content': 'hi'}], [], [], [{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'content': 'b'}], None], pa.list_(pa.struct([('role', pa.string()), ('content', pa.string())]))),
    'day': pa.array([datetime.date(2026, 11, 21)] * n, pa.date32()),
    'at': pa.array([datetime.datetime(2026, 11, 21, 18, 30, 5, 250000, tzinfo=datetime.timezone.utc)] * n, pa.timestamp('us', tz='UTC')),
    'price': pa.array([decimal.Decimal('12.50')] * n, pa.decimal128(9, 2)),
    'raw': pa.array([b'\xff\x00'] * n, pa.binary()),
    'facts': pa.array([{'a': 1}, {}, None, {'b': 2}, {'c': 3}], pa.map_(pa.string(), pa.int64())),
    'none': pa.array([None] * n, pa.string()),
})
pq.write_table(table, sys.argv[1], row_group_size=3, compression='zstd')
