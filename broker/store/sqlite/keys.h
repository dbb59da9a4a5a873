/// What may lie on disk in place of names: HMACs of personal ones, clear bytes of the others.
#pragma once

#include <functional>

#include "broker/core/result.h"
#include "broker/crypto/digest.h"
#include "broker/log/record.h"

namespace flagpost::store::sqlite {

/// Under the digest key, each use with its own label, so that a user's HMAC says nothing about a subject's.
class Pseudonyms {
public:
    explicit Pseudonyms(crypto::SymmetricKey digest_key) : key_{std::move(digest_key)} {}
    Id16 user(std::string_view name) const;
    Id16 subject(std::string_view name) const;
    /// The key of table `live`: 01 and the name, or 02 and 16 bytes of HMAC. Clear names keep their byte
    /// order, so that deliveries numbered one after another are rows one after another.
    Bytes state_key(const log::StateKey& key) const;
    /// Equal only under the same digest key; kept in `meta` to refuse another one.
    Id16 key_check() const;

private:
    Id16 mac(std::string_view use, std::string_view name) const;
    crypto::SymmetricKey key_;
};

/// What one record does to table `live`, in the order it is done: column `entry.keys`.
enum class KeyStep : std::uint8_t { shred = 1, drop = 2, set = 3 };

/// Appends u8 step, u16be length, key.
void append_step(Bytes& steps, KeyStep step, BytesView key);

/// The name a key of table `live` was made of; empty for a personal one.
std::string clear_name(BytesView key);

/// Every step in order; a refusal if the bytes are damaged (`each` may then have been called for the first
/// few).
Result<void> read_steps(BytesView steps, const std::function<void(KeyStep, BytesView key)>& each);

}  // namespace flagpost::store::sqlite
