#include "adapters/web/handover.h"

#include <spdlog/spdlog.h>

namespace flagpost::web {

std::optional<Done> Handover::ask(Deed deed) { return wait_for({std::move(deed), {}, {}}); }

bool Handover::carry_out(std::function<void(client::Box&)> job) {
    const auto done = wait_for({{}, std::move(job), {}});
    return done && done->fresh;
}

std::optional<Done> Handover::wait_for(Asked what) {
    std::unique_lock lock{lock_};
    if (waiting_.size() >= deeds_waiting_max) return std::nullopt;
    const auto asked = std::make_shared<Asked>(std::move(what));
    waiting_.push_back(asked);
    if (!answered_.wait_for(lock, deed_patience, [&] { return asked->done.has_value(); }))
        asked->given_up = true;
    return asked->done;
}

Connection Handover::connection() {
    const std::lock_guard lock{lock_};
    return connection_;
}

client::Box::Decided Handover::decide(const Deed& deed, const client::Incoming& review, client::Box& box,
                                      const AgencyId& agency) {
    using Decided = client::Box::Decided;
    Decided decided{};
    box.at_once([&] {
        decided = box.decide(review, *deed.verdict, deed.by, deed.outcome, agency, deed.note);
        // While the second of two has to see them all, the others stand.
        if (decided != Decided::settled) return;
        for (const auto& reference : deed.denied)
            if (const auto other = box.find(reference); other && other->kind == schemas::Kind::review_item)
                box.decide(*other, schemas::Verdict::deny, deed.by, deed.denied_for, agency, deed.note);
    });
    return decided;
}

Done Handover::do_it(const Asked& asked, client::Box& box, const AgencyId& agency) {
    if (asked.job) {
        try {
            asked.job(box);
            return {true, true, {}};
        } catch (const std::exception& error) {  // of that job: the session goes on
            spdlog::error("what a page asked for could not be done: {}", error.what());
            return {true, false, {}};
        }
    }
    const Deed& deed = asked.deed;
    Done done{false, false, box.find(deed.reference)};
    if (done.now) {
        done.found = true;
        if (deed.asking) {
            if (done.now->kind == schemas::Kind::social_care_notice)
                done.fresh = box.ask(*done.now, *deed.asking, agency, deed.once);
        } else if (deed.changes) {
            done.fresh = box.change(*done.now, deed.by, deed.outcome, agency);
        } else if (deed.verdict && done.now->kind == schemas::Kind::review_item) {
            done.decided = decide(deed, *done.now, box, agency);
            done.fresh = *done.decided != client::Box::Decided::already &&
                         *done.decided != client::Box::Decided::same_person;
        } else if (!deed.verdict) {
            done.fresh = box.acknowledge(*done.now, deed.level, deed.by, deed.outcome, agency);
        }
        done.now = box.find(deed.reference);
    }
    return done;
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
        Done done = do_it(*each, box, agency);
        const std::lock_guard lock{lock_};
        each->done = std::move(done);
        answered_.notify_all();
    }
}

}  // namespace flagpost::web
