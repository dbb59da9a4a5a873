/// Which keys sign for which agency, and when, as a list of parties says (certs/README.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/crypto/signature.h"

namespace flagpost::auditor {

class OriginKeys {
public:
    /// Throws std::runtime_error for a text that is no such list.
    static OriginKeys parse(std::string_view text);

    /// Whether one of the agency's keys that were in force at `time`, give or take `slack`, signed the message.
    bool signed_by(const std::string& agency, Instant time, BytesView message, BytesView signature) const;

    /// A message is judged when it comes and written down when it is decided, moments later.
    static constexpr std::chrono::minutes slack{1};

private:
    struct Dated {
        crypto::OriginVerifier key;
        Instant from, until;
    };
    std::map<std::string, std::vector<Dated>> keys_;
};

}  // namespace flagpost::auditor
