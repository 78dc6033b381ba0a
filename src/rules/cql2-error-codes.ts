// Error codes of filters in CQL2.
import { type ErrorFacts, facts } from './error-facts.ts'

export const CQL2_ERROR_CODES = {
  CQL2_INVALID: facts(
    400,
    false,
    'A filter breaks CQL2, its types or its limits; the message names the column or the JSON pointer.',
    'Correct the filter at that place.',
  ),
  CQL2_UNKNOWN_PROPERTY: facts(400, false, 'A filter names a property that cannot be searched.', 'Use one of /queryables.'),
} as const satisfies Record<string, ErrorFacts>
