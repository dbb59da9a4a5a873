#include "adapters/client/order.h"

#include <stdexcept>

#include "adapters/client/agent.h"

namespace flagpost::client {
namespace {

constexpr std::chrono::seconds answer_patience{15};

}  // namespace

std::uint64_t place_order(const Config& config, Box& box, Clock& clock, Random& random,
                          const schemas::RecordOrderValue& order) {
    const bool by_operator = config.agency.kind() == "operator";
    const auto topic =
        by_operator ? "operations/" + std::string{config.agency.code()} : "orders/" + config.agency.text();
    wire::Draft draft{
        schemas::Kind::record_order, topic, {}, {}, {}, {}, wire::pack<schemas::RecordOrder>(order)};
    const auto ids = box.enqueue({
        {std::move(draft), "command"}
    });
    settle(config, box, clock, random, ids, answer_patience);
    const auto status = box.status(ids.front());
    if (status.state == OutgoingState::refused)
        throw std::runtime_error{"the broker refused: " + std::string{name(status.refusal->reason)} + ", " +
                                 status.refusal->where};
    if (!status.index)
        throw std::runtime_error{"the broker has not answered yet; the order waits in the outbox"};
    return *status.index;
}

}  // namespace flagpost::client
