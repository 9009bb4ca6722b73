import firstSteps from "./examples/FirstSteps.graphql?raw";
import health from "./examples/Health.graphql?raw";
import hoursActivity from "./examples/HoursActivity.graphql?raw";
import live from "./examples/Live.graphql?raw";
import person from "./examples/Person.graphql?raw";
import pipeline from "./examples/Pipeline.graphql?raw";
import rankings from "./examples/Rankings.graphql?raw";
import reports from "./examples/Reports.graphql?raw";
import search from "./examples/Search.graphql?raw";
import week from "./examples/Week.graphql?raw";
import wikisPages from "./examples/WikisPages.graphql?raw";

/** A tab that GraphiQL opens with. */
export interface Example {
  readonly query: string;
  readonly variables?: string;
}

/** The tabs, in order. Tests hold each against the schema, and run each on a server. */
export const EXAMPLES: readonly Example[] = [
  { query: firstSteps },
  { query: wikisPages, variables: '{ "name": "www.wikidata.org" }' },
  { query: person, variables: '{ "userName": "Fæ" }' },
  { query: search, variables: '{ "text": "wikidata" }' },
  { query: hoursActivity },
  { query: week },
  { query: rankings },
  { query: reports },
  { query: pipeline },
  { query: live },
  { query: health },
];
