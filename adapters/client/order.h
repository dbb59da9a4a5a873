/// Orders about records: kept beyond their time, destroyed before it, or kept from a person (schemas/order.fbs).
#pragma once

#include "adapters/client/box.h"
#include "adapters/client/config.h"
#include "order_generated.h"

namespace flagpost::client {

/// Publishes the order, signed, and waits for the broker's answer, which is the number of its leaf: on the agency's own
/// topic, or on an operator's. Throws std::runtime_error with the broker's reason, or if no answer came.
std::uint64_t place_order(const Config& config, Box& box, Clock& clock, Random& random,
                          const schemas::RecordOrderValue& order);

}  // namespace flagpost::client
