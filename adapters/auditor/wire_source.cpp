#include "adapters/auditor/wire_source.h"

#include <nlohmann/json.hpp>
#include <thread>

namespace flagpost::auditor {
namespace {

using schemas::QueryKind;

constexpr std::chrono::seconds answer_patience{30};
constexpr std::chrono::milliseconds busy_wait{200};
constexpr int busy_tries_max = 50;

}  // namespace

Bytes WireSource::ask(QueryKind kind, std::uint8_t level, std::uint64_t from, std::size_t width) {
    for (int tries = 0;; ++tries) {
        auto answer =
            agent_.ask(kind, level, from, static_cast<std::uint16_t>(width), std::nullopt, answer_patience);
        if (answer) return std::move(answer->content);
        if (answer.error().reason != Reason::busy || tries == busy_tries_max)
            throw std::runtime_error{"the broker refused: " + std::string{name(answer.error().reason)} +
                                     ", " + answer.error().where};
        std::this_thread::sleep_for(busy_wait);
    }
}

std::string WireSource::checkpoint() { return std::string{text(ask(QueryKind::checkpoint, 0, 0, 0))}; }

log::TileHashes WireSource::tile(log::TileId id, std::size_t width) {
    const auto content = ask(QueryKind::tile, id.level, id.number, width);
    if (content.size() % 32 != 0) throw std::runtime_error{"the broker's tile is not made of hashes"};
    log::TileHashes hashes;
    for (std::size_t at = 0; at < content.size(); at += 32)
        hashes.push_back(*exactly<32>(BytesView{content}.subspan(at, 32)));
    if (hashes.size() > width) hashes.resize(width);  // the tree has grown since
    return hashes;
}

std::vector<Bytes> WireSource::entries(std::uint64_t from, std::size_t count) {
    return items_in(ask(QueryKind::entries, 0, from, count), count);
}

std::vector<Bytes> WireSource::bodies(std::uint64_t from, std::size_t count) {
    return items_in(ask(QueryKind::bodies, 0, from, count), count);
}

std::vector<std::string> WireSource::policies() {
    const auto content = ask(QueryKind::policies, 0, 0, 0);
    const auto json = nlohmann::json::parse(text(content), nullptr, false);
    std::vector<std::string> texts;
    for (const auto* name : {"agreement", "parties"}) {
        if (!json.is_object() || !json.contains(name) || !json[name].is_string())
            throw std::runtime_error{"the broker's policies lack the " + std::string{name}};
        texts.push_back(json[name].get<std::string>());
    }
    return texts;
}

std::vector<Bytes> items_in(BytesView answer, std::size_t most) {
    std::vector<Bytes> items;
    while (!answer.empty() && items.size() < most) {
        std::size_t length = 0;
        if (answer.size() < 4) throw std::runtime_error{"the broker's answer ends inside a length"};
        for (const auto byte : answer.first(4)) length = length << 8 | byte;
        answer = answer.subspan(4);
        if (answer.size() < length) throw std::runtime_error{"the broker's answer ends inside an item"};
        items.push_back(copy(answer.first(length)));
        answer = answer.subspan(length);
    }
    return items;
}

}  // namespace flagpost::auditor
