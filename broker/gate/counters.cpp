#include "broker/gate/counters.h"

namespace flagpost::gate {

std::string_view name(Cause cause) {
    static constexpr std::array<std::string_view, cause_count> names{"hung_up",
                                                                     "source_busy",
                                                                     "slow_handshake",
                                                                     "handshake_size",
                                                                     "not_tls",
                                                                     "tls_version",
                                                                     "protocol",
                                                                     "no_certificate",
                                                                     "untrusted",
                                                                     "revoked",
                                                                     "outside_validity",
                                                                     "revocation_list",
                                                                     "certificate",
                                                                     "other_partnership",
                                                                     "tls",
                                                                     "zmtp"};
    return names[static_cast<std::size_t>(cause)];
}

}  // namespace flagpost::gate
