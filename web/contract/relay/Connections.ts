// Every connection of the schema as a Relay client pages it. Relay's compiler reads this file and nothing runs it.
declare function graphql(text: TemplateStringsArray): unknown;

export const queries = [
  graphql`
    fragment Connections_pages on Query
    @refetchable(queryName: "ConnectionsPagesQuery")
    @argumentDefinitions(first: { type: "Int" }, after: { type: "String" }, last: { type: "Int" }, before: { type: "String" }) {
      pages(first: $first, after: $after, last: $last, before: $before, filter: { isBot: false })
        @connection(key: "Connections__pages", filters: ["filter"]) {
        totalCount
        edges { node { id title url domain { id name } user { id userName } hour { id hour } } }
      }
    }
  `,
  graphql`
    fragment Connections_domains on Query
    @refetchable(queryName: "ConnectionsDomainsQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      domains(first: $first, after: $after, search: "wiki") @connection(key: "Connections__domains") {
        edges { node { id name pageCount } }
      }
    }
  `,
  graphql`
    fragment Connections_hours on Query
    @refetchable(queryName: "ConnectionsHoursQuery")
    @argumentDefinitions(last: { type: "Int", defaultValue: 20 }, before: { type: "String" }) {
      hours(last: $last, before: $before, during: { lastHours: 48 }) @connection(key: "Connections__hours") {
        edges { node { id hour pageCount } }
      }
    }
  `,
  graphql`
    fragment Connections_gaps on Query
    @refetchable(queryName: "ConnectionsGapsQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pipeline {
        gaps(first: $first, after: $after) @connection(key: "Connections__gaps") {
          edges { node { from to reason } }
        }
      }
    }
  `,
  graphql`
    fragment Connections_userPages on User
    @refetchable(queryName: "ConnectionsUserPagesQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pages(first: $first, after: $after) @connection(key: "Connections_userPages__pages") {
        edges { node { id title } }
      }
    }
  `,
  graphql`
    fragment Connections_globalUserPages on GlobalUser
    @refetchable(queryName: "ConnectionsGlobalUserPagesQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pages(first: $first, after: $after) @connection(key: "Connections_globalUserPages__pages") {
        edges { node { id title } }
      }
    }
  `,
  graphql`
    fragment Connections_domainPages on Domain
    @refetchable(queryName: "ConnectionsDomainPagesQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pages(first: $first, after: $after) @connection(key: "Connections_domainPages__pages") {
        edges { node { id title } }
      }
    }
  `,
  graphql`
    fragment Connections_hourUsers on HourlyActivity
    @refetchable(queryName: "ConnectionsHourUsersQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      users(first: $first, after: $after) @connection(key: "Connections_hourUsers__users") {
        edges { pageCount node { id userName } }
      }
    }
  `,
  graphql`
    fragment Connections_hourDomains on HourlyActivity
    @refetchable(queryName: "ConnectionsHourDomainsQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      domains(first: $first, after: $after) @connection(key: "Connections_hourDomains__domains") {
        edges { pageCount node { id name } }
      }
    }
  `,
  graphql`
    fragment Connections_hourPages on HourlyActivity
    @refetchable(queryName: "ConnectionsHourPagesQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pages(first: $first, after: $after) @connection(key: "Connections_hourPages__pages") {
        edges { node { id title } }
      }
    }
  `,
  graphql`
    fragment Connections_reportUserPages on ReportUser
    @refetchable(queryName: "ConnectionsReportUserPagesQuery")
    @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" }) {
      pages(first: $first, after: $after) @connection(key: "Connections_reportUserPages__pages") {
        edges { node { id title } }
      }
    }
  `,
  graphql`
    query ConnectionsQuery($id: ID!) {
      ...Connections_pages @arguments(first: 20)
      ...Connections_domains
      ...Connections_hours
      ...Connections_gaps
      node(id: $id) {
        ...Connections_userPages @alias
        ...Connections_globalUserPages @alias
        ...Connections_domainPages @alias
        ...Connections_hourUsers @alias
        ...Connections_hourDomains @alias
        ...Connections_hourPages @alias
      }
      reports { topUsers { ...Connections_reportUserPages } }
    }
  `,
];
