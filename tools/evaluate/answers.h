/// The broker's own matcher asked for each query of a set.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "broker/match/match.h"
#include "tools/evaluate/sets.h"

namespace flagpost::evaluate {

/// One flag that a query may concern.
struct Answer {
    std::string query_id, flag_id;
    match::Millibits score = 0;
    schemas::Outcome outcome{};  // match: acted on without a person; the others: a person looks
    std::vector<std::string> reasons;
    std::vector<match::Evidence> evidence;
};

/// All answers, by query in the order of `queries`, by flag within it. Who is on the register stands in no order.
std::vector<Answer> answer(const Sheet& known, const Sheet& queries);

/// query_id,flag_id,score,decision with decision auto (match) or review (potential, low, many).
void write_predictions(const std::vector<Answer>& answers, std::ostream& out);

/// What agreed and differed, and what each counted for; of all queries if `query_id` is "*".
void write_explanation(const std::vector<Answer>& answers, const std::string& query_id, std::ostream& out);

}  // namespace flagpost::evaluate
