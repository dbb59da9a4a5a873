/// A broker as the source of an export, asked over the wire.
#pragma once

#include "adapters/auditor/export.h"
#include "adapters/client/agent.h"
#include "broker/log/policy.h"

namespace flagpost::auditor {

class WireSource final : public Source {
public:
    /// policy  what must be satisfied by the head; nothing: the log's own signature will do
    WireSource(client::Agent& agent, std::optional<log::Policy> policy)
        : agent_{agent}, policy_{std::move(policy)} {}
    std::string checkpoint() override;
    log::TileHashes tile(log::TileId id, std::size_t width) override;
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override;
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override;
    Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) override;
    std::optional<std::string> setting(std::uint64_t index) override;
    /// Has the log say what was read offline. Throws as the others do.
    void tell_reading(const std::string& what, const std::string& why);

private:
    Bytes ask(schemas::QueryKind kind, std::uint8_t level, std::uint64_t from, std::size_t width);
    Bytes ask(const schemas::QueryValue& query);
    Result<client::Agent::Answered> answer_to(const schemas::QueryValue& query);
    std::optional<std::string> head_cosigned_by(std::uint8_t witnesses);
    std::optional<std::string> head_that_satisfies();
    client::Agent& agent_;
    std::optional<log::Policy> policy_;
};

/// The items of an answer: each behind its length, u32 big-endian. Throws std::runtime_error if they do not fit.
std::vector<Bytes> items_in(BytesView answer, std::size_t most);

}  // namespace flagpost::auditor
