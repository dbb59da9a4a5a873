/// How the audit desk's pages say numbers, times and entries.
#pragma once

#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {

/// "48,213"
std::string grouped(std::uint64_t number);

/// "2026-03-02 21:40:12 UTC": evidence is dated to the second.
std::string exact_time(Instant time);

struct LeafFact {
    std::string key, value;
    std::string href;  // of another entry; may be empty
};
/// What an entry says, field by field, as far as it says it. Printable ASCII.
std::vector<LeafFact> facts_of_leaf(const log::Leaf& leaf);

/// "person 9f3a12c4", of the keyed digest of whoever it was; empty where the entry names nobody.
std::string person_in_words(const log::Leaf& leaf);

}  // namespace flagpost::auditor
