#include "tests/simulation/world.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "tests/invariant/invariant.h"
#include "tests/simulation/seeded_openssl.h"

namespace flagpost::simulation {

using namespace std::chrono_literals;

namespace {

constexpr microseconds rest_max = 5min;  // for everything to settle: the longest wait of the protocol is 30 s

}  // namespace

World::World(const Settings& its_settings)
    : settings{its_settings}, dice{settings.seed}, trace{settings.trace}, weather{Weather::of(dice)} {
    spdlog::set_level(spdlog::level::off);
    identities();  // before the generator is seeded for this world
    seed_openssl(settings.seed);
    disk.plant = settings.plant;
    for (auto& each : invariant::all_of(*this))
        if (settings.only.empty() || each->sentence() == settings.only)
            invariants_.push_back(std::move(each));
    broker = std::make_unique<BrokerProcess>(*this);
    for (auto& role : county_roles())
        agencies.push_back(std::make_unique<AgencyProcess>(*this, std::move(role)));
    stock = std::make_unique<StockConsumer>(*this);
}

World::~World() = default;

void World::may_die_here() {
    if (restless && dice.one_in(weather.death_one_in)) throw Death{};
}

std::shared_ptr<Connection> World::connect(AgencyId agency, Connection::Receiver client) {
    auto connection = std::make_shared<Connection>(scheduler, dice, weather.slowest_segment);
    connection->receive_at(End::client, std::move(client));
    links_.push_back({connection, agency});
    const Moment accepted = scheduler.now() + dice.between(100us, weather.slowest_segment * 2);
    connection->accepted_at(accepted);
    scheduler.at(accepted, [this, connection, agency] {
        if (!connection->open_at(End::client) || connection->silent()) return connection->close(End::gate);
        if (broker->alive()) return broker->accept(connection, agency);
        connection->close(End::gate);
    });
    return connection;
}

// --- What happens

Summary World::run() {
    broker->start();
    for (const auto& agency : agencies) agency->start();
    stock->start();
    plan_watch();
    plan_chaos();
    for (const auto& agency : agencies) plan_work(*agency, 4s);
    plan_mischief();

    work_ends_ = weather.work_lasts;
    while (scheduler.now() < work_ends_) scheduler.run_until(std::min(work_ends_, scheduler.now() + 1s));
    restless = false;
    mend();
    const Moment patience_ends = scheduler.now() + rest_max;
    do scheduler.run_until(scheduler.now() + 1s);
    while (!at_rest() && scheduler.now() < patience_ends);
    tell([](auto& each) { each.at_rest(); });

    trace.mix(ledger.shadow().state_digest());
    summary.digest = trace.mix(ledger.root(ledger.size()));
    summary.events = scheduler.tasks_run();
    summary.lasted = scheduler.now();
    return summary;
}

void World::plan_work(AgencyProcess& agency, microseconds within) {
    after(dice.between(200ms, within), [this, &agency] {
        if (!restless) return;
        if (!dark()) agency.act();
        plan_work(agency, 8s);
    });
}

void World::plan_mischief() {
    after(dice.between(200ms, 5s), [this] {
        if (!restless) return;
        if (!dark()) stock->act();
        plan_mischief();
    });
}

void World::plan_watch() {
    after(1s, [this] {
        std::erase_if(links_, [](const Link& link) {
            return !link.connection->open_at(End::gate) && !link.connection->open_at(End::client);
        });
        if (!dark()) tell([](auto& each) { each.each_second(); });
        plan_watch();
    });
}

bool World::at_rest() const {
    if (!broker->alive() || !broker->serving() || !broker->idle()) return false;
    for (const auto& agency : agencies) {
        if (!agency->alive() || !agency->welcomed() || !agency->settled()) return false;
        for (const auto& topic : agency->role().topics)
            if (broker->exchange().next_pending(topic, 0)) return false;
    }
    return !broker->exchange().next_pending("bench/2", 0);
}

void World::mend() {
    note("world", "is mended");
    disk.full = false;
    disk.next_commit = Disk::Fault::none;
    for (const auto& agency : agencies) {
        broker->pardon(agency->agency());
        agency->mend();
    }
    broker->restore_keys();
    if (!broker->alive()) broker->restart_after(1s);
    stock->mend();
}

void World::plan_chaos() {
    after(dice.between(100ms, weather.quiet), [this] {
        if (!restless) return;
        if (dark()) return plan_chaos();
        if (!weather.harms.empty()) do_harm();
        plan_chaos();
    });
}

void World::do_harm() {
    ++summary.faults;
    AgencyProcess& agency = *agencies[dice.below(agencies.size())];
    const auto a_step = [this] {
        const auto size = dice.pick(std::vector<microseconds>{300ms, 3s, 90s, 8min, 13h});
        return dice.one_in(2) ? size : -size;
    };
    switch (dice.pick(weather.harms)) {
        case Harm::broker_killed:
            if (broker->alive()) broker->die_and_restart(false);
            return;
        case Harm::broker_host_lost:
            if (broker->alive()) broker->die_and_restart(true);
            return;
        case Harm::agency_killed:
            if (agency.alive()) agency.die_and_restart(false);
            return;
        case Harm::agency_host_lost:
            if (agency.alive()) agency.die_and_restart(true);
            return;
        case Harm::agency_stalls:
            return agency.stall(dice.between(1s, 25s));
        case Harm::connection_cut:
            return agency.cut_connection(false);
        case Harm::connection_silent:
            return agency.cut_connection(true);
        case Harm::gate_lost:
            return broker->lose_gate();
        case Harm::commit_fails:
            disk.next_commit = Disk::Fault::lost;
            return;
        case Harm::commit_fails_though_written:
            disk.next_commit = Disk::Fault::kept;
            return;
        case Harm::disk_fills:
            note("disk", "is full");
            disk.full = true;
            scheduler.after(dice.between(500ms, 20s), [this] {
                note("disk", "has room");
                disk.full = false;
            });
            return;
        case Harm::broker_clock_steps:
            return broker->step_clock(a_step());
        case Harm::agency_clock_steps:
            return agency.step_clock(a_step());
        case Harm::agency_revoked:
            if (broker->revoked(agency.agency())) return;
            broker->revoke(agency.agency());
            scheduler.after(dice.between(2s, 30s), [this, &agency] { broker->pardon(agency.agency()); });
            return;
        case Harm::key_withdrawn:
            broker->withdraw_key(agency.agency());
            scheduler.after(dice.between(2s, 20s), [this] { broker->restore_keys(); });
            return;
        case Harm::inbox_stuck:
            return agency.stick_inbox(dice.between(1s, 40s));
        case Harm::poison:
            return agency.poison();
        case Harm::box_set_back:
            if (agency.alive()) agency.set_box_back();
            return;
        case Harm::long_outage:
            if (dice.one_in(4)) go_dark();
            return;
        case Harm::count_:
            return;
    }
}

/// The power fails everywhere: for minutes, a night, or long enough for windows and leases to end.
void World::go_dark() {
    const auto lasts = dice.pick(std::vector<microseconds>{2min, 20min, 9h, 30h, 80h});
    note("world", "goes dark", static_cast<std::uint64_t>(lasts.count()));
    dark_until_ = scheduler.now() + lasts;
    work_ends_ += lasts;
    broker->die(true);
    stock->lose_power();
    for (const auto& agency : agencies) agency->die(true);
    broker->restart_after(0us);
    for (const auto& agency : agencies) agency->restart_after(dice.between(0s, 5s));
}

}  // namespace flagpost::simulation
