/// A county with its broker, disk, network and clocks in one process and one thread, all of it decided by one seed.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/simulation/agency_process.h"
#include "tests/simulation/broker_process.h"
#include "tests/simulation/county.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/stock_consumer.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/weather.h"

namespace flagpost::invariant {
class Invariant;
}

namespace flagpost::simulation {

struct Settings {
    std::uint64_t seed = 1;
    Plant plant = Plant::nothing;
    bool trace = false;
    std::string only;  // the sentence to watch; empty: all of them
};

/// A promise is broken: which, and how it showed.
class Violation : public std::runtime_error {
public:
    Violation(std::string which, const std::string& how)
        : std::runtime_error{which + ": " + how}, sentence{std::move(which)} {}
    std::string sentence;
};

/// A process dies here, between two of its steps.
struct Death {};

struct Summary {
    std::uint64_t digest = 0;  // of all that happened
    std::uint64_t events = 0;
    Moment lasted{0};
    std::uint64_t records = 0, confirmed = 0, proven = 0, stored = 0, deaths = 0, faults = 0;
};

class World {
public:
    explicit World(const Settings& settings);
    ~World();

    /// Work and faults, then repairs, then rest. Throws Violation.
    Summary run();

    /// Tells every invariant: tell([&](auto& each) { each.committed(...); }).
    template <class Event> void tell(Event&& event) {
        for (const auto& each : invariants_) event(*each);
    }
    /// A place where the process at work may die, if this world is one where they do.
    void may_die_here();
    void note(std::string_view who, std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0) {
        trace.note(scheduler.now(), who, what, a, b);
    }
    std::shared_ptr<Connection> connect(AgencyId agency, Connection::Receiver client);

    /// While everything is without power nothing happens: what was to come after so long comes so long after that.
    bool dark() const { return scheduler.now() < dark_until_; }
    void after(microseconds delay, Scheduler::Task task) {
        scheduler.at(std::max(scheduler.now(), dark_until_) + delay, std::move(task));
    }

    /// Who is connected to whom, until both ends have closed.
    struct Link {
        std::shared_ptr<Connection> connection;
        AgencyId agency;
    };
    const std::vector<Link>& links() const { return links_; }

    Settings settings;
    Scheduler scheduler;
    Dice dice;
    Trace trace;
    Weather weather;
    Disk disk;
    Ledger ledger;
    Summary summary;
    bool restless = true;  // faults still happen
    std::unique_ptr<BrokerProcess> broker;
    std::vector<std::unique_ptr<AgencyProcess>> agencies;
    std::unique_ptr<StockConsumer> stock;

private:
    void plan_work(AgencyProcess& agency, microseconds within);
    void plan_mischief();
    void plan_chaos();
    void do_harm();
    void go_dark();
    void plan_watch();
    void mend();
    bool at_rest() const;
    std::string unrest() const;

    std::vector<std::unique_ptr<invariant::Invariant>> invariants_;
    std::vector<Link> links_;
    Moment work_ends_{0}, dark_until_{0};
};

}  // namespace flagpost::simulation
