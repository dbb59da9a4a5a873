/// What is handed to an auditor so that they can read bodies: whose, how far, and sealed to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/ids.h"
#include "broker/core/result.h"
#include "broker/crypto/seal.h"
#include "broker/crypto/sealed_box.h"

namespace flagpost::log {

/// Which bodies an auditor asks for: "all", or "entries=100-199", "controller=school/122802", or both behind a comma.
struct Scope {
    std::uint64_t first = 0;
    std::uint64_t last = UINT64_MAX;  // inclusive
    std::optional<AgencyId> controller;
    static Result<Scope> parse(std::string_view text);
    bool covers(std::uint64_t index, std::string_view controller_of_body) const;
};

/// What opens one body: its key, and the label it was sealed under (broker/crypto/seal.h).
struct BodyKey {
    crypto::SymmetricKey key;
    std::string controller;
    std::string retention;
};

/// Keys of the bodies of the entries from `first` on; nothing where there is no body, it is erased, or out of scope.
///
///     page   u64be first || u16be count || box of as many items, each behind its length, u16be
///     item   key(32) || length of the controller(1) || controller || retention; empty: no key
///
/// The box (broker/crypto/sealed_box.h) has the context "flagpost-keys/1\n" || first || count.
struct KeysPage {
    std::uint64_t first = 0;
    std::vector<std::optional<BodyKey>> keys;

    Bytes seal_to(const crypto::BoxPublicKey& auditor) const;
    static Result<KeysPage> open(BytesView page, const crypto::BoxKey& key);
};

/// What a page says of itself without being opened: first entry and count; nothing if it is no page.
std::optional<std::pair<std::uint64_t, std::size_t>> keys_page_range(BytesView page);

}  // namespace flagpost::log
