#include "tests/simulation/agency_process.h"

#include <algorithm>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::simulation {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr auto checkpoint_fact = "log-checkpoint", confirm_fact = "log-confirm";
constexpr microseconds look_again =
    1s;  // at the outbox, when nothing else happens; whoever fills it wakes the agent
constexpr microseconds load_result_patience = 90s;

std::string sequence_fact(const std::string& topic) { return "load-sequence/" + topic; }
std::string pending_fact(const std::string& topic) { return "load-pending/" + topic; }

/// The number a broker says is due: "load_begin.sequence: 7 is due".
std::optional<std::uint64_t> sequence_due(const schemas::LoadResult& result) {
    if (result.results() == nullptr || result.results()->size() == 0) return std::nullopt;
    const std::string where = result.results()->Get(0)->where()->str();
    const auto colon = where.find(": ");
    if (colon == std::string::npos) return std::nullopt;
    return std::stoull(where.substr(colon + 2));
}

bool used_up(schemas::FileCode code) {
    return code == schemas::FileCode::all_loaded || code == schemas::FileCode::some_loaded ||
           code == schemas::FileCode::none_loaded;
}

}  // namespace

Instant AgencyProcess::WallClock::now() { return epoch + world.scheduler.now() + offset; }

AgencyProcess::AgencyProcess(World& world, Role role)
    : world_{world},
      role_{std::move(role)},
      agency_{AgencyId::parse(role_.agency).value()},
      clock_{world},
      dice_{world.dice.next()},
      box_{std::make_unique<ModelBox>(clock_, dice_, world.settings.plant)} {
    if (role_.witness) witness_.emplace(identity(role_.agency).witness());
}

AgencyProcess::~AgencyProcess() = default;

Moment AgencyProcess::moment() const { return world_.scheduler.now(); }

// --- Starting and dying

void AgencyProcess::start() {
    world_.note(role_.agency, "starts");
    life_ = new_life();
    backoff_.emplace(dice_);
    next_attempt_ = moment();
    plan_wake(microseconds{1});
}

void AgencyProcess::die(bool quietly) {
    if (!alive()) return;
    world_.note(role_.agency, quietly ? "and its machine are gone" : "dies");
    ++world_.summary.deaths;
    life_.reset();
    if (link_) {
        if (quietly) link_->connection->fall_silent();
        link_->connection->close(simulation::End::client);
    }
    link_.reset();
    arrived_.clear();
    confirmed_.clear();
    wake_planned_ = settle_planned_ = false;
    stalled_until_ = Moment{0};
}

void AgencyProcess::die_and_restart(bool quietly) {
    die(quietly);
    restart_after(world_.dice.between(50ms, world_.dice.one_in(4) ? 30s : 3s));
}

void AgencyProcess::restart_after(microseconds delay) {
    world_.after(delay, [this] {
        if (!alive() && !world_.dark()) start();
    });
}

void AgencyProcess::run(const std::function<void()>& step) {
    try {
        step();
    } catch (const Death&) {
        die_and_restart(world_.dice.one_in(3));
    }
}

// --- As client::Agent

void AgencyProcess::plan_wake(microseconds delay) {
    if (!alive() || std::exchange(wake_planned_, true)) return;
    world_.scheduler.after(std::clamp<microseconds>(delay, 1ms, look_again), life_, [this] {
        wake_planned_ = false;
        run([this] { wake(); });
    });
}

void AgencyProcess::wake() {
    if (stalled()) return plan_wake(stalled_until_ - moment());
    if (!link_ && moment() >= next_attempt_) connect();
    if (link_ && world_.settings.plant != Plant::client_never_looks_at_the_clock)
        perform(link_->machine.tick(link_now()));
    if (link_) settle_durably();
    if (link_) offer();
    plan_wake(link_ ? link_->machine.next_due() - link_now() : next_attempt_ - moment());
}

void AgencyProcess::connect() {
    const auto number = ++links_;
    const auto of_this = [this, number](auto&& step) {
        if (link_ && links_ == number) run(step);
    };
    // What comes while the process stands still is dealt with when it goes on, in the order it came.
    std::function<void(BytesView)> bytes = [this, of_this](BytesView arrived_bytes) {
        of_this([&] { arrived(arrived_bytes); });
    };
    std::function<void()> hung_up = [this, of_this] {
        of_this([&] {
            settle_durably();
            if (link_) lose("the connection ended", 0ms);
        });
    };
    const auto later = [this](const std::function<void()>& step) {
        if (!stalled()) return step();
        world_.scheduler.after(stalled_until_ - moment(), life_, step);
    };
    auto connection =
        world_.connect(agency_, {[=](BytesView view) { later([bytes, kept = copy(view)] { bytes(kept); }); },
                                 [=] { later(hung_up); }, life_});

    client::SessionSettings settings{"simulated/1",
                                     "main",
                                     role_.topics,
                                     world_.broker->log_key(),
                                     box_->fact(checkpoint_fact),
                                     witness_ ? &*witness_ : nullptr,
                                     client::Promise::parse(box_->fact(confirm_fact).value_or(""))};
    const Instant wall = clock_.now();
    link_.emplace(Link{
        connection, client::SessionMachine{std::move(settings), identity(role_.agency).origin, wall},
         wall,
        moment()
    });
    if (world_.settings.plant == Plant::client_offers_only_once && last_offered_)
        link_->offered = last_offered_;
    connection->send(simulation::End::client, wire::zmtp::greeting());
    connection->send(simulation::End::client, wire::zmtp::ready_command("DEALER"));
    perform(link_->machine.start(link_now()));
}

void AgencyProcess::arrived(BytesView bytes) {
    std::vector<Bytes> frames;
    const auto fed = link_->parser.feed(bytes, [&](wire::zmtp::Event event) {
        if (const auto* message = std::get_if<wire::zmtp::Message>(&event))
            frames.push_back(copy(message->content));
    });
    if (!fed) throw std::logic_error{"the gate's ZMTP cannot be read: " + fed.error().where};
    for (const Bytes& frame : frames) {
        if (!link_) return;
        world_.tell([&](auto& each) { each.received(*this, links_, frame); });
        perform(link_->machine.receive(frame, link_now()));
    }
    if (link_ && link_->machine.welcomed()) backoff_->succeeded();
    settle_soon();
}

void AgencyProcess::settle_soon() {
    if (!alive() || std::exchange(settle_planned_, true)) return;
    world_.scheduler.after(world_.dice.between(0us, 5ms), life_, [this] {
        settle_planned_ = false;
        run([this] {
            if (link_) settle_durably();
            if (link_) offer();
        });
    });
}

void AgencyProcess::perform(client::Actions actions) {
    for (auto& action : actions) {
        if (!link_) return;
        std::visit([this](auto& wanted) { carry_out(wanted); }, action);
    }
}

void AgencyProcess::carry_out(client::Send& send) {
    world_.may_die_here();
    world_.tell([&](auto& each) { each.sent(*this, links_, send.frame); });
    Bytes bytes;
    wire::zmtp::append_message(bytes, send.frame);
    link_->connection->send(simulation::End::client, bytes);
}
void AgencyProcess::carry_out(client::Remember& remember) {
    box_->set_fact(checkpoint_fact, remember.checkpoint);
    world_.may_die_here();
}
void AgencyProcess::carry_out(client::Store& store) { arrived_.push_back(std::move(store.delivery)); }
void AgencyProcess::carry_out(client::Confirmed& confirmed) {
    confirmed_.emplace_back(confirmed.id, confirmed.promise.index);
    newest_confirm_ = confirmed.promise.text();
}
void AgencyProcess::carry_out(client::Proven& proven) {
    world_.note(role_.agency, "is proven what was confirmed", proven.index);
    ++world_.summary.proven;
    const auto kept = client::Promise::parse(box_->fact(confirm_fact).value_or(""));
    if (kept && kept->index <= proven.index) box_->set_fact(confirm_fact, "");
}
void AgencyProcess::carry_out(client::DeadLetter& letter) {
    world_.may_die_here();
    world_.note(role_.agency, "is refused for good", static_cast<std::uint64_t>(letter.refusal.reason));
    box_->refused(letter.id, letter.refusal);
}
void AgencyProcess::carry_out(client::Answered& answered) {
    world_.note(role_.agency, "is answered", answered.request);
    world_.tell([&](auto& each) { each.answered(*this, answered); });
}
void AgencyProcess::carry_out(client::Problem& problem) {
    world_.note(role_.agency, problem.what);
    problem_ = std::move(problem.what);
}
void AgencyProcess::carry_out(client::Alarm& alarm) {
    world_.tell([&](auto& each) { each.alarmed(*this, alarm.what); });
    lose(std::move(alarm.what), 1h);
}
void AgencyProcess::carry_out(client::End& end) {
    settle_durably();
    if (link_) lose(std::move(end.problem), end.wait_at_least);
}

void AgencyProcess::settle_durably() {
    if (!confirmed_.empty()) {
        world_.may_die_here();
        box_->confirmed(confirmed_);
        box_->set_fact(confirm_fact, newest_confirm_);
        world_.summary.confirmed += confirmed_.size();
        confirmed_.clear();
    }
    if (arrived_.empty() || moment() < stuck_until_) return;
    world_.may_die_here();
    if (poisoned_) throw Death{};
    const bool early = world_.settings.plant == Plant::client_acknowledges_before_storing;
    if (early) {
        perform(link_->machine.stored(link_now()));
        if (world_.dice.one_in(4)) throw Death{};
    }
    const auto fresh = box_->receive(arrived_);
    arrived_.clear();
    world_.summary.stored += fresh.size();
    for (const auto& item : fresh) {
        world_.note(role_.agency, "stores from " + item.topic, item.number, item.index);
        world_.tell([&](auto& each) { each.stored(*this, item); });
    }
    world_.may_die_here();
    if (link_ && !early) perform(link_->machine.stored(link_now()));
}

void AgencyProcess::offer() {
    while (link_) {
        const std::size_t room = link_->machine.room();
        if (room == 0) return;
        auto messages = box_->waiting(room, link_->offered);
        if (messages.empty()) return;
        link_->offered = last_offered_ = messages.back().id;
        if (world_.settings.plant == Plant::client_takes_written_for_sent)
            for (const auto& message : messages) confirmed_.emplace_back(message.id, 0);
        perform(link_->machine.publish(std::move(messages), link_now()));
    }
}

void AgencyProcess::lose(std::string why, milliseconds wait_at_least) {
    world_.note(role_.agency, why);
    problem_ = std::move(why);
    next_attempt_ = moment() + std::max(backoff_->next(), wait_at_least);
    link_->connection->close(simulation::End::client);
    link_.reset();
}

bool AgencyProcess::settled() const { return box_->waiting(1, {}).empty(); }

// --- What the world does to it

void AgencyProcess::stick_inbox(microseconds how_long) { stuck_until_ = moment() + how_long; }

void AgencyProcess::set_box_back() {
    die(false);
    box_->set_back(dice_);
    restart_after(world_.dice.between(1s, 10s));
}

void AgencyProcess::cut_connection(bool silently) {
    if (!link_) return;
    world_.note(role_.agency, silently ? "hears nothing more" : "is cut off");
    if (silently)
        link_->connection->fall_silent();
    else
        link_->connection->cut();
}

void AgencyProcess::mend() {
    stuck_until_ = Moment{0};
    poisoned_ = false;
    if (!alive()) restart_after(world_.dice.between(10ms, 1s));
}

// --- The people and systems behind it

void AgencyProcess::act() {
    if (role_.has_incidents) {
        std::vector<std::pair<wire::Draft, std::string>> drafts;
        for (std::uint64_t i = 0; i <= world_.dice.below(3); ++i)
            drafts.emplace_back(make_incident(world_.dice, clock_.now()), "spool");
        enqueue(drafts);
    }
    if (role_.has_opaque) {
        std::vector<std::pair<wire::Draft, std::string>> drafts;
        for (std::uint64_t i = 0; i <= world_.dice.below(6); ++i)
            drafts.emplace_back(make_opaque(world_.dice, role_.agency), "bench");
        enqueue(drafts);
    }
    if (!role_.loads.empty() && world_.dice.one_in(3)) hand_in_a_load();
    if (role_.asks) run([this] { ask(); });
    look_at_the_inbox();
    plan_wake(1ms);
}

void AgencyProcess::note_enqueued(const Id16& id) {
    enqueued_.insert(id);
    world_.tell([&](auto& each) { each.enqueued(*this, id); });
}

void AgencyProcess::enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts) {
    for (const Id16& id : box_->enqueue(drafts)) note_enqueued(id);
}

// As adapters/desk/loads: one load of a topic at a time, because the number of the next depends on what became of it.
void AgencyProcess::hand_in_a_load() {
    client::Load load = world_.dice.pick(role_.loads);
    finish_load(load.topic);
    if (!box_->fact(pending_fact(load.topic)).value_or("").empty()) return;
    load.records = make_records(world_.dice, load);
    if (load.records.empty()) return;
    load.sequence = std::stoull(box_->fact(sequence_fact(load.topic)).value_or("0")) + 1;
    if (world_.dice.one_in(10)) ++load.sequence;  // the wrong file
    const Id16 id = make_uuid7(clock_.now(), dice_);
    box_->set_fact(pending_fact(load.topic), to_hex(id) + " " + std::to_string(moment().count()));
    enqueue(client::drafts_of(load, id));
}

void AgencyProcess::finish_load(const std::string& topic) {
    const std::string pending = box_->fact(pending_fact(topic)).value_or("");
    if (pending.empty()) return;
    const auto load = from_hex(pending.substr(0, 32)).value();
    bool over = moment() - Moment{std::stoll(pending.substr(33))} > load_result_patience;
    for (const auto& item : box_->inbox()) {
        if (item.kind != schemas::Kind::load_result) continue;
        const auto* result = wire::read_table<schemas::LoadResult>(item.payload, "result").value();
        if (!std::ranges::equal(*result->load(), load)) continue;
        over = true;
        if (used_up(result->code())) box_->set_fact(sequence_fact(topic), std::to_string(result->sequence()));
        if (result->code() == schemas::FileCode::sequence_gap)
            if (const auto due = sequence_due(*result))
                box_->set_fact(sequence_fact(topic), std::to_string(*due - 1));
    }
    if (over) box_->set_fact(pending_fact(topic), "");
}

void AgencyProcess::look_at_the_inbox() {
    if (role_.topics.empty()) return;
    const auto items = box_->inbox();
    for (std::size_t i = items.size() - std::min<std::size_t>(items.size(), 20); i < items.size(); ++i) {
        if (!world_.dice.one_in(3)) continue;
        if (items[i].kind == schemas::Kind::social_care_notice && world_.dice.one_in(4))
            enqueue({
                {make_question(world_.dice, items[i], role_.agency), "asked"}
            });
        const auto level = world_.dice.one_in(2) ? schemas::Level::opened : schemas::Level::recorded;
        if (const auto id = box_->acknowledge(items[i], level, agency_)) note_enqueued(*id);
    }
}

void AgencyProcess::ask() {
    if (!welcomed() || stalled()) return;
    static const std::vector<schemas::QueryKind> kinds{
        schemas::QueryKind::checkpoint, schemas::QueryKind::tile,        schemas::QueryKind::entries,
        schemas::QueryKind::bodies,     schemas::QueryKind::obligations, schemas::QueryKind::policies};
    schemas::QueryValue query;
    query.kind = world_.dice.pick(kinds);
    query.width = static_cast<std::uint16_t>(1 + world_.dice.below(20));
    query.from = query.kind == schemas::QueryKind::tile ? 0 : world_.dice.below(world_.ledger.size() + 1);
    if (query.kind == schemas::QueryKind::obligations) query.from = 0;
    perform(link_->machine.query(std::move(query)).first);
}

}  // namespace flagpost::simulation
