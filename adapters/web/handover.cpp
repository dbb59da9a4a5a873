#include "adapters/web/handover.h"

namespace flagpost::web {

std::optional<Done> Handover::ask(Deed deed) {
    std::unique_lock lock{lock_};
    if (waiting_.size() >= deeds_waiting_max) return std::nullopt;
    const auto asked = std::make_shared<Asked>(Asked{std::move(deed), {}});
    waiting_.push_back(asked);
    if (!answered_.wait_for(lock, deed_patience, [&] { return asked->done.has_value(); }))
        asked->given_up = true;
    return asked->done;
}

Connection Handover::connection() {
    const std::lock_guard lock{lock_};
    return connection_;
}

void Handover::turn(const client::AgentState& state, client::Box& box, const AgencyId& agency) {
    std::deque<std::shared_ptr<Asked>> asked;
    {
        const std::lock_guard lock{lock_};
        connection_ = {state.connected && state.heard.has_value(), state.heard};
        asked.swap(waiting_);
        // What nobody waits for any more was said to have failed: it must not be done after all.
        std::erase_if(asked, [](const auto& each) { return each->given_up; });
    }
    for (const auto& each : asked) {
        const Deed& deed = each->deed;
        Done done{false, false, box.find(deed.reference)};
        if (done.now) {
            done.found = true;
            if (deed.verdict && done.now->kind == schemas::Kind::review_item) {
                done.decided = box.decide(*done.now, *deed.verdict, deed.by, deed.outcome, agency);
                done.fresh = *done.decided != client::Box::Decided::already &&
                             *done.decided != client::Box::Decided::same_person;
            } else if (!deed.verdict) {
                done.fresh = box.acknowledge(*done.now, deed.level, deed.by, deed.outcome, agency);
            }
            done.now = box.find(deed.reference);
        }
        const std::lock_guard lock{lock_};
        each->done = std::move(done);
        answered_.notify_all();
    }
}

}  // namespace flagpost::web
