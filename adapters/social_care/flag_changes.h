/// What a list of flags would change of the list that stands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/desk/loads.h"
#include "broker/crypto/digest.h"

namespace flagpost::social_care {

/// How one child stands on a list: enough to tell whether a record says something new, and no more.
struct Listed {
    Digest digest;         // of the record
    bool ended = false;    // the plan has ended
    bool deleted = false;  // taken back: it should not have been there
    bool stands() const { return !ended && !deleted; }
};
using FlagList = std::map<std::string, Listed>;  // by LAchildID

FlagList list_of(const desk::Prepared& prepared);

struct Changes {
    std::size_t fresh = 0, changed = 0, same = 0;
    std::size_t ended = 0;     // by a record that says so, or by a full list without the child
    std::size_t deleted = 0;   // taken back
    std::size_t standing = 0;  // children flagged before
    /// Of those, no longer afterwards.
    std::size_t no_longer() const { return ended + deleted; }
    friend bool operator==(const Changes&, const Changes&) = default;
};
Changes changes(const FlagList& before, const FlagList& load, schemas::LoadMode mode);

}  // namespace flagpost::social_care
