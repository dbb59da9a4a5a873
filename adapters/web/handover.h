/// Between the pages' threads and the one that owns the session with the broker.
///
/// The owner alone writes to the box: pages hand it what people did as values and wait for what became of it. What pages
/// show they read themselves, from what is committed.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/client/agent.h"
#include "adapters/web/site.h"

namespace flagpost::web {

/// What a person did about a delivery.
struct Deed {
    std::string reference;
    schemas::Level level;
    std::string by, outcome;                    // outcome: a code; of a decision its reason
    std::optional<schemas::Verdict> verdict{};  // set: a review is decided, whatever the level
    std::optional<client::Box::Asking>
        asking{};          // set: police are asked about the notice, whatever the level
    std::string once{};    // with asking: the same twice is asked once
    bool changes = false;  // what is recorded already is recorded otherwise
    /// With a verdict: the other records that were compared, which are denied together with it, for this reason, once it settles.
    std::vector<std::string> denied{};
    std::string denied_for{};
    std::string note{};  // with a verdict: for the next reviewer
};

/// What became of it.
struct Done {
    bool found;  // the reference names a delivery
    bool fresh;  // false: somebody had done so before; `now` says who
    std::optional<client::Incoming> now;
    std::optional<client::Box::Decided> decided{};
};

inline constexpr std::size_t deeds_waiting_max = 256;
inline constexpr auto deed_patience = std::chrono::seconds{2};

/// Safe for several threads.
class Handover {
public:
    /// Of a page's thread. Nothing if it was not done in time, or too many wait.
    std::optional<Done> ask(Deed deed);
    /// Of a page's thread: has the owner do something else with its box. False if it was not done in time or failed.
    bool carry_out(std::function<void(client::Box&)> job);
    Connection connection();

    /// Of the thread that owns the box, at every turn of its loop.
    void turn(const client::AgentState& state, client::Box& box, const AgencyId& agency);

private:
    struct Asked {
        Deed deed;
        std::function<void(client::Box&)> job;  // instead of a deed
        std::optional<Done> done;
        bool given_up = false;
    };
    std::optional<Done> wait_for(Asked asked);
    static client::Box::Decided decide(const Deed& deed, const client::Incoming& review, client::Box& box,
                                       const AgencyId& agency);
    static Done do_it(const Asked& asked, client::Box& box, const AgencyId& agency);

    std::mutex lock_;  // guards what follows
    std::condition_variable answered_;
    std::deque<std::shared_ptr<Asked>> waiting_;
    Connection connection_;
};

/// The box as pages read it: one connection to its file, one page at a time. Made before the owner of the box begins:
/// opening a file anew gives up the locks that this process has on it.
class Reader {
public:
    Reader(const std::filesystem::path& file, Clock& clock, Random& random) : box_{file, clock, random} {}
    template <class Use> auto read(Use use) {
        const std::lock_guard lock{lock_};
        return use(std::as_const(box_));
    }

private:
    std::mutex lock_;  // guards what follows
    client::Box box_;
};

}  // namespace flagpost::web
