/// An agency's adapter from start to death: the real client::SessionMachine, driven as client::Agent drives it, over a
/// simulated connection and a box that outlives it. And the people and systems behind the adapter, who give it work.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/client/backoff.h"
#include "adapters/client/session_machine.h"
#include "broker/wire/zmtp.h"
#include "tests/simulation/box.h"
#include "tests/simulation/county.h"
#include "tests/simulation/network.h"

namespace flagpost::simulation {

class World;

class AgencyProcess {
public:
    AgencyProcess(World& world, Role role);
    ~AgencyProcess();

    void start();
    bool alive() const { return life_ != nullptr; }
    void die(bool quietly);
    void die_and_restart(bool quietly);
    void restart_after(microseconds delay);

    // What the world does to it
    void step_clock(microseconds by) { clock_.offset += by; }
    void stall(microseconds how_long) { stalled_until_ = std::max(stalled_until_, moment() + how_long); }
    void stick_inbox(microseconds how_long);
    void poison() { poisoned_ = true; }
    void set_box_back();
    void cut_connection(bool silently);
    void mend();

    /// Somebody in the agency does something.
    void act();

    const AgencyId& agency() const { return agency_; }
    const Role& role() const { return role_; }
    const AgencyBox& box() const { return *box_; }
    /// Nothing waits to be sent, and no answer is outstanding.
    bool settled() const;
    const std::set<Id16>& enqueued() const { return enqueued_; }
    bool stalled() const { return moment() < stalled_until_; }
    Moment stalled_until() const { return stalled_until_; }
    bool welcomed() const { return link_ && link_->machine.welcomed(); }
    const std::string& last_problem() const { return problem_; }

private:
    struct WallClock final : Clock {
        explicit WallClock(const World& its_world) : world{its_world} {}
        Instant now() override;
        const World& world;
        microseconds offset{0};
    };
    struct Link {
        std::shared_ptr<Connection> connection;
        client::SessionMachine machine;
        Instant opened_wall;
        Moment opened;
        std::optional<Id16> offered = {};
        wire::zmtp::Parser parser = wire::zmtp::Parser{"ROUTER"};
    };

    Moment moment() const;
    Instant link_now() const { return link_->opened_wall + (moment() - link_->opened); }
    void run(const std::function<void()>& step);
    void plan_wake(microseconds delay);
    void wake();
    void connect();
    void arrived(BytesView bytes);
    void settle_soon();
    void settle_durably();
    void offer();
    void lose(std::string why, std::chrono::milliseconds wait_at_least);

    void perform(client::Actions actions);
    void carry_out(client::Send& send);
    void carry_out(client::Remember& remember);
    void carry_out(client::Store& store);
    void carry_out(client::Confirmed& confirmed);
    void carry_out(client::Proven& proven);
    void carry_out(client::DeadLetter& letter);
    void carry_out(client::Answered& answered);
    void carry_out(client::Problem& problem);
    void carry_out(client::Alarm& alarm);
    void carry_out(client::End& end);

    void enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts);
    void note_enqueued(const Id16& id);
    void hand_in_a_load();
    void finish_load(const std::string& topic);
    void look_at_the_inbox();
    void ask();

    World& world_;
    Role role_;
    AgencyId agency_;
    WallClock clock_;
    Dice dice_;  // ids, salts, back-off
    std::unique_ptr<AgencyBox> box_;
    std::set<Id16> enqueued_;
    std::optional<client::Witness> witness_;

    Life life_;
    std::optional<client::Backoff> backoff_;
    std::optional<Link> link_;
    std::uint64_t links_ = 0;
    Moment next_attempt_{0}, stalled_until_{0}, stuck_until_{0};
    bool wake_planned_ = false, settle_planned_ = false;
    bool poisoned_ = false;
    std::string problem_;
    std::vector<client::Incoming> arrived_;
    std::vector<std::pair<Id16, std::uint64_t>> confirmed_;
    std::string newest_confirm_;
    std::optional<Id16> last_offered_;
};

}  // namespace flagpost::simulation
