#include "broker/store/sqlite/rewrap.h"

#include <algorithm>
#include <tuple>

#include "broker/core/limits.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {
namespace {

constexpr std::string_view master_key = "master_key";  // which one the wraps are under, or are being moved to
constexpr std::string_view place_key = "rewrap";  // two numbers: the next entry to look at, where to stop

/// Tells master keys apart and says nothing about them.
Id16 check_value(const crypto::SymmetricKey& master) {
    return crypto::hmac16(master, {view("flagpost-master-key/1\n")});
}

bool same(const std::optional<Bytes>& kept, const Id16& value) {
    return kept && std::ranges::equal(*kept, value);
}

}  // namespace

Rewrapping::Rewrapping(SQLite::Database& database, Entries& entries, const crypto::MasterKeys& masters)
    : database_{database},
      entries_{entries},
      put_wrap_{database, "UPDATE entry SET wrap = ? WHERE idx = ?"},
      put_meta_{database, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"},
      drop_meta_{database, "DELETE FROM meta WHERE key = ?"} {
    const auto kept = entries_.meta(master_key);
    const auto place = entries_.meta(place_key);
    if (place) {
        const auto numbers = two_numbers(*place);
        if (!numbers || numbers->first > numbers->second)
            throw StorageFailure{"where the change of the master key stands is damaged"};
        std::tie(next_, until_) = *numbers;
    }
    const Id16 current = check_value(masters.current);
    if (same(kept, current)) {
        if (place && !masters.previous)
            throw StorageFailure{
                "the change of the master key has not reached every wrap: the key before it is "
                "needed a while longer"};
        return;
    }
    const bool known_before = !kept || (masters.previous && same(kept, check_value(*masters.previous)));
    if (!known_before) throw StorageFailure{"the master key is not the one this store was made with"};
    if (place) throw StorageFailure{"one change of the master key is not finished, and another is asked for"};
    if (kept) until_ = entries_.size();
    remember(current);
}

void Rewrapping::remember(const Id16& master) {
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    put_meta_.run(master_key, BytesView{master});
    remember_place(next_);
    transaction.commit();
}

void Rewrapping::remember_place(std::uint64_t next) {
    if (next == until_)
        drop_meta_.run(place_key);
    else
        put_meta_.run(place_key, two_numbers(next, until_));
}

bool Rewrapping::some(crypto::Sealer& sealer) {
    if (left() == 0) return false;
    const auto to = std::min(until_, next_ + limits::rewraps_at_once);
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    std::vector<std::pair<std::uint64_t, Bytes>> fresh;
    entries_.each(next_, to, [&](const Entry& entry) {
        if (!entry.wrap) return;
        auto wrap = sealer.rewrap(*entry.wrap, {entry.controller, entry.retention, entry.index});
        if (!wrap)
            throw StorageFailure{"entry " + std::to_string(entry.index) +
                                 ": neither master key opens its wrap"};
        if (*wrap != *entry.wrap) fresh.emplace_back(entry.index, std::move(*wrap));
    });
    for (const auto& [index, wrap] : fresh) put_wrap_.run(BytesView{wrap}, index);
    remember_place(to);
    transaction.commit();
    next_ = to;  // not before: without room the same entries come again
    return left() > 0;
}

}  // namespace flagpost::store::sqlite
