/// The records of loads: which list a topic is, what each record's key is, how the register takes it.
#pragma once

#include <optional>
#include <string>

#include "broker/core/clock.h"
#include "broker/core/result.h"
#include "broker/register/register.h"
#include "load_generated.h"

namespace flagpost::exchange {

/// The list that is loaded on a topic.
struct LoadTarget {
    schemas::LoadOf of;
    std::string scope;                 // what LoadBegin.scope has to be
    std::string la;                    // flags and rolls of an authority: whose
    std::optional<std::uint32_t> urn;  // set: about this school only
    bool not_in_school = false;        // the register of `la`'s children who are on no roll
};
std::optional<LoadTarget> load_target(std::string_view topic);

/// One record of a load, as far as it could be read. A key without `refusal` is a record that holds; with it, one
/// that is known by name but not to be believed.
struct ReadUnit {
    std::optional<std::string> key;  // "flag/E10000024/1234"
    std::optional<Refusal> refusal;
};
ReadUnit read_unit(const LoadTarget& target, BytesView item);

/// What all keys of such records start with.
std::string_view key_prefix(schemas::LoadOf of);

/// Puts a record that was accepted into the register.
void set_unit(registry::Register& known, schemas::LoadOf of, BytesView item, Instant received,
              const std::string& source);
void remove_unit(registry::Register& known, schemas::LoadOf of, std::string_view key);

}  // namespace flagpost::exchange
