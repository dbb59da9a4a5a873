/// What is to be logged and kept: one leaf and the body it stands for. Made by the exchange, made durable by the store.
#pragma once

#include <string>
#include <vector>

#include "broker/log/leaf.h"

namespace flagpost::log {

/// Names a thing the state holds: "flag/E10000024/1234", "delivery/notices/school/122802/7". The newest record
/// that sets a key is the one the state rests on; recovery reloads exactly those records.
struct StateKey {
    std::string name;
    bool personal = true;  // the store keeps an HMAC of the name instead of the name
    friend bool operator==(const StateKey&, const StateKey&) = default;
};

/// One leaf and, where it has one, the body it stands for. The n-th record ever made is leaf n.
struct Record {
    Leaf leaf;                          // index and time set; body, user and subjects left to the store
    std::string user;                   // the named person, in clear here, an HMAC in the leaf
    std::vector<std::string> subjects;  // whom it is about, in clear here, HMACs in the leaf
    Bytes body;                         // plaintext; sealed by the store
    std::string controller;             // agency whose record the body is
    std::string retention;              // class of the retention schedule: "flag", "incident", "notice", ...
    std::vector<StateKey> sets;         // these keys rest on this record from now on
    std::vector<StateKey> drops;        // these no longer rest on any
    std::vector<StateKey> shreds;       // the bodies these rest on are destroyed, then they are dropped
    std::vector<std::uint64_t>
        erases;                    // bodies of these records are destroyed; no key may rest on them any more
    std::optional<Instant> since;  // when what it answers began; for statistics alone, not stored
    friend bool operator==(const Record&, const Record&) = default;
};

/// A body that is kept, without what it says: for whoever decides how much longer.
struct Kept {
    std::uint64_t index;
    Instant time;                    // of its leaf
    std::string controller;          // as in its record
    std::string retention;           // likewise
    std::vector<Id16> subjects;      // whom it is about, as HMACs
    std::vector<std::string> rests;  // names of the keys that rest on it; "" for a personal one
    friend bool operator==(const Kept&, const Kept&) = default;
};

}  // namespace flagpost::log
