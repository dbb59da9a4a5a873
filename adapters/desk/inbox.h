/// What was received, and the marks people leave on it.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "adapters/desk/desk.h"

namespace flagpost::desk {

/// What --by says of commands that only show.
inline constexpr const char* who_looks = "who looks; needed where the case has a conflict list";

/// "new", "opened" or "recorded".
std::string state_of(const client::Incoming& item);

/// Stored items of these kinds, in the order they came.
std::vector<client::Incoming> items_of(client::Box& box, const std::set<schemas::Kind>& kinds,
                                       bool closed_too);

/// Items for one reader.
struct ForReader {
    std::vector<client::Incoming> shown;
    std::vector<std::string>
        ask_who;  // "topic#number" of what has a conflict list, where nobody said who looks

    std::string words() const;                   // that there are such; empty: there are none
    void add_to(nlohmann::json& entries) const;  // likewise, one object each
};
/// `by`: who looks, as they say themselves; what they must not see is left out. Empty: nobody said.
ForReader items_for(const client::Box& box, std::vector<client::Incoming> items, const std::string& by);
/// An item likewise, by its reference; nothing: it is not there, or not for them. Throws std::runtime_error if it has a conflict
/// list and nobody said who looks.
std::optional<client::Incoming> find_for(const client::Box& box, const std::string& reference,
                                         const std::string& by);

struct Mark {
    schemas::Level level;
    std::string by;       // the named person, as the agency knows them
    std::string outcome;  // code, with recorded
};

/// Leaves the mark on each item named, sends what it can at once, and reports. Returns 1 if a reference names no item
/// of these kinds, or the outcome is not one of its kind's, else 0: a mark made earlier by somebody is said, and left as it is.
int mark_items(Desk& desk, const std::vector<std::string>& references, const std::set<schemas::Kind>& kinds,
               const Mark& mark, bool json, std::ostream& out);

struct ReviewMark {
    schemas::Verdict verdict;
    std::string by;      // the named person
    std::string reason;  // code
};
/// Decides each match named, sends what it can at once, and reports. Returns 1 if a reference names no match, or the second
/// person was the first, else 0.
int decide_reviews(Desk& desk, const std::vector<std::string>& references, const ReviewMark& mark, bool json,
                   std::ostream& out);

/// The notice of this kind in the item's payload. Throws std::runtime_error if it cannot be read.
template <class Table> typename Table::NativeTableType payload_of(const client::Incoming& item) {
    const auto table = wire::read_table<Table>(item.payload, "payload");
    if (!table) throw std::runtime_error{item.topic + "#" + std::to_string(item.number) + ": cannot be read"};
    typename Table::NativeTableType value;
    (*table)->UnPackTo(&value);
    return value;
}

/// Who has marked the item, for JSON lists: state, opened_by, recorded_by, recorded_outcome, received.
void add_marks(nlohmann::json& entry, const client::Incoming& item);

/// The same in words: "Not opened yet.", "Opened by Sam Patel, Saturday ...".
std::string marks_in_words(const client::Incoming& item);

/// An instant of microseconds as ISO text, or null for 0.
nlohmann::json iso_or_null(std::int64_t us);

/// JSON on one stream, with bytes that are not UTF-8 replaced.
void print_json(const nlohmann::json& value, std::ostream& out);

/// "label      text", the text wrapped beside it; nothing if the text is empty.
void print_field(std::ostream& out, const std::string& label, const std::string& text);

}  // namespace flagpost::desk
