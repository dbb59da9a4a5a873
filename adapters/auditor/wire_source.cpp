#include "adapters/auditor/wire_source.h"

#include <nlohmann/json.hpp>
#include <thread>

#include "broker/core/limits.h"

namespace flagpost::auditor {
namespace {

using schemas::QueryKind;

constexpr std::chrono::seconds answer_patience{30};
constexpr std::chrono::milliseconds busy_wait{200};
constexpr int busy_tries_max = 50;
constexpr auto newer_head_wait = 2 * limits::checkpoint_interval;

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

// The head at hand may be older than this connection, and so miss what happened just before somebody asked for an
// export. Our own connecting is a leaf: the head that covers it follows within a moment, if it is not this one already.
std::string WireSource::checkpoint() {
    const auto newest = [this] { return std::string{text(ask(QueryKind::checkpoint, 0, 0, 0))}; };
    const auto first = newest();
    const auto until = std::chrono::steady_clock::now() + newer_head_wait;
    while (std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(busy_wait);
        if (auto note = newest(); note.substr(0, note.find("\n\n")) != first.substr(0, first.find("\n\n")))
            return note;
    }
    return newest();
}

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
