/// What became of a message, told to whoever published it: from the log itself, so that a restart changes nothing.
#pragma once

#include "broker/router/answers.h"

namespace flagpost::router {

/// The message is named by its envelope id, by the leaf that records it, or, an incident, by its force's own reference.
/// JSON: {"id","index","state","notices":[{"notice","to","state"}],"events":[{"at","index","what","to","outcome",
/// "notice"}]}, oldest first, at most limits::status_events_max of them ("more": true if there are). `to` is a kind of
/// agency: who exactly was told is not the sender's to know. not_found alike for what does not exist and what is
/// another's.
///
/// With `scope` instead, "<from>/<to>" in microseconds since 1970: everything the broker holds of the agency's in that time, from
/// leaf ask.from on, page by page: {"messages":[{"id","index","at","topic","reference","state"}],
/// "notices":[{"notice","index","at","topic"}],"next"}. Messages are those it published, `reference` an incident's own and `state` as
/// above, both only of incidents whose bodies are kept; notices those issued to it. `next` is where the next page begins.
///
/// size  of the log as far as it is on disk: of what comes after nobody is told
Result<Page> status_page(const Ask& ask, const AgencyId& agency, store::Reader& all, std::uint64_t size);

}  // namespace flagpost::router
