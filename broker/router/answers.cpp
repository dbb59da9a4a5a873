#include "broker/router/answers.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "broker/log/leaf.h"

namespace flagpost::router {
namespace {

void put(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

std::size_t items_wanted(const Ask& ask) {
    return std::min<std::size_t>(ask.width == 0 ? limits::answer_items_max : ask.width,
                                 limits::answer_items_max);
}

/// Whether entry `index` put a text in force, which is for everybody, and its body is whole: a question of a stranger must not
/// find damage, which stops the store.
bool has_setting(store::Reader& reader, std::uint64_t index) {
    using log::LeafKind;
    constexpr std::array kinds{LeafKind::agreement_set, LeafKind::parties_set, LeafKind::keys_set,
                               LeafKind::crl_set};
    const auto bytes = reader.leaf(index);
    const auto leaf = bytes ? log::decode_leaf(*bytes) : refuse(Reason::not_found, "leaf");
    if (!leaf || leaf->index != index || std::ranges::find(kinds, leaf->kind) == kinds.end()) return false;
    const auto sealed = reader.sealed(index);
    if (!sealed || !reader.body_key(index)) return false;
    return !leaf->body || crypto::sha256({sealed->salt, sealed->ciphertext}) == *leaf->body;
}

/// Length-prefixed items from `ask.from` on: as many as wanted, as there are, and as fit; at least one.
template <class Item> Page paged(const Ask& ask, std::uint64_t size, Item&& item) {
    Page page;
    std::uint64_t index = ask.from;
    for (std::size_t taken = 0; index < size && taken < items_wanted(ask); ++index, ++taken) {
        const Bytes content = item(index);
        if (taken > 0 && page.content.size() + content.size() + 4 > limits::answer_bytes_max) break;
        append_be(page.content, content.size(), 4);
        put(page.content, content);
    }
    page.more = index < size;
    return page;
}

std::string second_of(Instant instant) {
    return date::format("%FT%TZ", std::chrono::floor<std::chrono::seconds>(instant));
}

std::string json_of(const exchange::OpenObligation& open) {
    // All of it is made of codes and digits: AgencyId, topics and states need no escaping.
    return R"({"notice":")" + to_hex(open.notice) + R"(","recipient":")" + open.recipient + R"(","topic":")" +
           open.topic + R"(","state":")" + open.state + R"(","owed_since":")" + second_of(open.owed_since) +
           R"(","due":")" + second_of(open.due) + R"(","with":")" + open.with + R"(","overdue":)" +
           (open.overdue ? "true" : "false") + "}";
}

std::string json_of(const exchange::DeadLetter& dead) {
    return R"({"topic":")" + dead.topic + R"(","number":)" + std::to_string(dead.number) + R"(,"attempts":)" +
           std::to_string(dead.attempts) + R"(,"reason":")" + dead.reason + R"(","owner":")" + dead.owner +
           R"(","since":")" + second_of(dead.since) + R"(","notice":")" +
           (dead.notice ? to_hex(*dead.notice) : std::string{}) + R"("})";
}

/// One page of a list in JSON.
template <class Item> Page listed(const Ask& ask, const std::vector<Item>& all) {
    std::string json = "[";
    auto next = static_cast<std::size_t>(std::min<std::uint64_t>(ask.from, all.size()));
    for (std::size_t taken = 0; next < all.size() && taken < items_wanted(ask); ++next, ++taken) {
        const std::string item = json_of(all[next]);
        if (taken > 0 && json.size() + item.size() + 2 > limits::answer_bytes_max) break;
        if (taken > 0) json += ",";
        json += item;
    }
    json += "]";
    return Page{copy(view(json)), next < all.size()};
}

}  // namespace

Result<Page> tile_page(const Ask& ask, store::Reader& reader) {
    if (ask.level > 7) return refuse(Reason::invalid_value, "query.level");
    if (ask.width < 1 || ask.width > log::tile_width) return refuse(Reason::invalid_value, "query.width");
    const auto hashes = reader.tile(log::TileId{ask.level, ask.from});
    if (hashes.size() < ask.width) return refuse(Reason::not_found, "query: tile");
    Page page;
    for (std::size_t i = 0; i < ask.width; ++i) put(page.content, hashes[i]);
    return page;
}

Page entries_page(const Ask& ask, store::Reader& reader, std::uint64_t size) {
    return paged(ask, size, [&](std::uint64_t index) {
        auto leaf = reader.leaf(index);
        if (!leaf) throw store::StorageFailure{"leaf " + std::to_string(index) + " is missing"};
        return std::move(*leaf);
    });
}

Page bodies_page(const Ask& ask, store::Reader& reader, std::uint64_t size) {
    return paged(ask, size, [&](std::uint64_t index) {
        Bytes item;
        const auto sealed = reader.sealed(index);
        if (!sealed) return item;
        put(item, sealed->salt);
        put(item, sealed->ciphertext);
        return item;
    });
}

Page keys_page(const Ask& ask, const log::Scope& scope, store::Reader& reader, std::uint64_t size) {
    log::KeysPage keys{ask.from, {}};
    std::uint64_t index = ask.from;
    for (; index < size && keys.keys.size() < items_wanted(ask); ++index) {
        keys.keys.emplace_back();
        if (index < scope.first || index > scope.last) continue;
        auto key = reader.body_key(index);
        if (key && scope.covers(index, key->controller)) keys.keys.back() = std::move(key);
    }
    return Page{keys.seal_to(*ask.key), index < size};
}

std::string policies_json(const exchange::InForce& texts) {
    return nlohmann::json{
        {"agreement", texts.agreement},
        {"parties",   texts.parties  },
        {"keys",      texts.keys     }
    }
        .dump();
}

Result<Page> setting_page(const Ask& ask, store::Reader& reader) {
    const auto stored = has_setting(reader, ask.from) ? reader.body(ask.from) : std::nullopt;
    const auto* setting = stored ? exchange::read_body(*stored).setting() : nullptr;
    const auto* kept = setting == nullptr ? nullptr : setting->text();
    if (kept == nullptr) return refuse(Reason::not_found, "query.from: that entry put no text in force");
    const std::string_view text{kept->c_str(), kept->size()};
    const auto from = std::min(text.size(), ask.level * limits::answer_bytes_max);
    const auto part = text.substr(from, limits::answer_bytes_max);
    return Page{copy(view(part)), from + part.size() < text.size()};
}

Page obligations_page(const Ask& ask, const std::vector<exchange::OpenObligation>& open) {
    return listed(ask, open);
}

Page dead_letters_page(const Ask& ask, const std::vector<exchange::DeadLetter>& dead) {
    return listed(ask, dead);
}

Result<Page> delivered_page(const std::optional<exchange::OwedDelivery>& owed, store::Reader& reader) {
    const auto body = owed ? reader.body(owed->index) : std::nullopt;
    const auto envelope = body ? exchange::envelope_in(*body) : std::nullopt;
    if (!envelope) return refuse(Reason::not_found, "query.id: nothing under it is owed to you");
    return Page{wire::deliver_frame(owed->topic, owed->number, 1, owed->index, *envelope), false};
}

Bytes answer_frame(std::uint32_t request, Page page) {
    schemas::AnswerValue answer;
    answer.request = request;
    answer.content = std::move(page.content);
    answer.more = page.more;
    return wire::pack_frame(std::move(answer));
}

}  // namespace flagpost::router
