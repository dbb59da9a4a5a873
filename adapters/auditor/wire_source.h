/// A broker as the source of an export, asked over the wire.
#pragma once

#include "adapters/auditor/export.h"
#include "adapters/client/agent.h"

namespace flagpost::auditor {

class WireSource final : public Source {
public:
    explicit WireSource(client::Agent& agent) : agent_{agent} {}
    std::string checkpoint() override;
    log::TileHashes tile(log::TileId id, std::size_t width) override;
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override;
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override;
    std::vector<std::string> policies() override;

private:
    Bytes ask(schemas::QueryKind kind, std::uint8_t level, std::uint64_t from, std::size_t width);
    client::Agent& agent_;
};

/// The items of an answer: each behind its length, u32 big-endian. Throws std::runtime_error if they do not fit.
std::vector<Bytes> items_in(BytesView answer, std::size_t most);

}  // namespace flagpost::auditor
