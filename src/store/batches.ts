/** Rows that go into one INSERT: below every database's limit of parameters, and few round trips. */
const rowsPerStatement = 500;

/** The rows in the portions that one statement takes. */
export function* batches<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    yield rows.slice(start, start + rowsPerStatement);
  }
}
