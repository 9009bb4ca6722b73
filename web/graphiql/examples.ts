/** A tab that GraphiQL opens with. */
export interface Example {
  readonly query: string;
  readonly variables?: string;
}

const firstSteps = `# Pagetrack: every new page on every Wikimedia wiki.
# Press ▶ or Ctrl-Enter to run; the book on the left is the reference.
query FirstSteps {
  pages(first: 5) {
    nodes {
      title
      url
      createdAt
      userName
      domain { name }
    }
  }
}
`;

const wikisPages = `# The newest pages of one wiki, without bots.
query WikisPages($name: String!) {
  domain(name: $name) {
    name
    pageCount
    pages(first: 10, filter: { isBot: false }) {
      nodes { title createdAt userName }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`;

const person = `# One person on all wikis, by the exact user name.
query Person($userName: String!) {
  globalUser(userName: $userName) {
    userName
    accountCount
    accounts(limit: 10) {
      userId
      domain { name }
    }
    pages(first: 10) {
      nodes { title createdAt domain { name } }
    }
  }
}
`;

const hoursActivity = `# The hours of the last day: how many pages, by how many people, on how many wikis.
query HoursActivity {
  hours(during: { lastHours: 24 }, first: 24) {
    nodes {
      hour
      pageCount
      botPageCount
      userCount
      domainCount
    }
  }
}
`;

const pipeline = `# Is what I see complete, and how fresh is it?
query Pipeline {
  pipeline {
    source
    sourceReason
    isConnected
    lagSeconds
    lastEventAt
    stages { name eventsPerSecond inCount outCount rejectedCount excludedCount canaryCount inFlightCount }
    rejected { reason count }
  }
}
`;

const live = `# Each new page by a person, as it is stored.
subscription Live {
  pageCreated(filter: { isBot: false }) {
    page { title url userName domain { name } }
  }
}
`;

/** The tabs, in order. A test holds each against the schema. */
export const EXAMPLES: readonly Example[] = [
  { query: firstSteps },
  { query: wikisPages, variables: '{ "name": "www.wikidata.org" }' },
  { query: person, variables: '{ "userName": "Fæ" }' },
  { query: hoursActivity },
  { query: pipeline },
  { query: live },
];
