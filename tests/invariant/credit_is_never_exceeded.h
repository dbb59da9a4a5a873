/// P9: on no connection is more delivered than its consumer has asked for so far.
#pragma once

#include <map>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class CreditIsNeverExceeded final : public Invariant {
public:
    explicit CreditIsNeverExceeded(World& world) : Invariant{world, "credit is never exceeded", "P9"} {}

    void sent(const AgencyProcess& agency, std::uint64_t link, BytesView frame) override;
    void received(const AgencyProcess& agency, std::uint64_t link, BytesView frame) override;
    void sent_by_stock(std::uint64_t link, BytesView frame) override { granted("bench/2", link, frame); }
    void received_by_stock(std::uint64_t link, BytesView frame) override {
        delivered("bench/2", link, frame);
    }

private:
    struct Credit {
        std::uint64_t messages = 0, bytes = 0;  // granted
        std::uint64_t messages_used = 0, bytes_used = 0;
    };
    void granted(const std::string& agency, std::uint64_t link, BytesView frame);
    void delivered(const std::string& agency, std::uint64_t link, BytesView frame);

    std::map<std::pair<std::string, std::uint64_t>, Credit> credits_;
};

inline void CreditIsNeverExceeded::granted(const std::string& agency, std::uint64_t link, BytesView bytes) {
    const auto frame = wire::read_frame(bytes);
    if (!frame) return;  // what a stock client sends need not be one
    Credit& credit = credits_[{agency, link}];
    if (const auto* subscribe = (*frame)->body_as_Subscribe()) {
        credit.messages += subscribe->credit_messages();
        credit.bytes += subscribe->credit_bytes();
    }
    if (const auto* more = (*frame)->body_as_Credit()) {
        credit.messages += more->messages();
        credit.bytes += more->bytes();
    }
}

inline void CreditIsNeverExceeded::delivered(const std::string& agency, std::uint64_t link, BytesView bytes) {
    if (wire::read_frame(bytes).value()->body_type() != schemas::Body::Deliver) return;
    Credit& credit = credits_[{agency, link}];
    // The last message may overdraw the bytes: one larger than any credit could never be sent otherwise.
    if (credit.messages_used >= credit.messages || credit.bytes_used >= credit.bytes)
        broken(agency + " was sent message " + std::to_string(credit.messages_used + 1) + " of " +
               std::to_string(credit.messages));
    ++credit.messages_used;
    credit.bytes_used += bytes.size();
}

inline void CreditIsNeverExceeded::sent(const AgencyProcess& agency, std::uint64_t link, BytesView frame) {
    granted(agency.role().agency, link, frame);
}

inline void CreditIsNeverExceeded::received(const AgencyProcess& agency, std::uint64_t link,
                                            BytesView frame) {
    delivered(agency.role().agency, link, frame);
}

}  // namespace flagpost::invariant
