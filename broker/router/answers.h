/// Answers to queries from what is committed: tiles, leaves, bodies, what became of a message, what is still owed.
#pragma once

#include <vector>

#include "broker/exchange/exchange.h"
#include "broker/router/session_machine.h"
#include "broker/store/store.h"

namespace flagpost::router {

/// One page. `more`: ask again, from where this one ended.
struct Page {
    Bytes content;
    bool more = false;
};

/// `width` hashes of tile `from` at `level`, one after another; not_found if it has fewer.
Result<Page> tile_page(const Ask& ask, store::Reader& reader);

/// Leaves from number `from`, each u32be length and its bytes.
Page entries_page(const Ask& ask, store::Reader& reader, std::uint64_t size);

/// Bodies in their sealed form, from leaf number `from`, each u32be length, then salt(16) and ciphertext: what the
/// leaf's digest covers. Length 0: the leaf has no body, or it is erased.
Page bodies_page(const Ask& ask, store::Reader& reader, std::uint64_t size);

/// Keys of the bodies from leaf number `from` that the scope covers, sealed to the key given: a log::KeysPage.
Page keys_page(const Ask& ask, const log::Scope& scope, store::Reader& reader, std::uint64_t size);

/// JSON {"agreement","parties","keys"}: the exact texts in force.
std::string policies_json(const exchange::InForce& texts);

/// The text that entry `from` put in force, in parts of `answer_bytes_max`, of which `level` says the how manieth;
/// not_found where the entry put none in force.
Result<Page> setting_page(const Ask& ask, store::Reader& reader);

/// JSON array of obligations, oldest first: {"notice","recipient","topic","state","owed_since","due","with","overdue"}.
Page obligations_page(const Ask& ask, const std::vector<exchange::OpenObligation>& open);

/// JSON array: {"topic","number","attempts","reason","owner","since","notice"}.
Page dead_letters_page(const Ask& ask, const std::vector<exchange::DeadLetter>& dead);

/// What is still owed to whoever asks, as it was delivered: a Deliver frame; not_found where it is closed, erased or another's.
Result<Page> delivered_page(const std::optional<exchange::OwedDelivery>& owed, store::Reader& reader);

Bytes answer_frame(std::uint32_t request, Page page);

}  // namespace flagpost::router
