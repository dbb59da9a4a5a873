#include "tests/simulation/broker_process.h"

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::simulation {

using namespace std::chrono_literals;
namespace fabric = wire::fabric;
using fabric::ItemKind;

namespace {

constexpr const char* gate_name = "igate";
constexpr const char* me = "broker";

crypto::NoteKey log_private() { return crypto::NoteKey::from_seed({9}); }

crypto::SymmetricKey dedup_key() {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(2);
    return crypto::SymmetricKey{bytes};
}

}  // namespace

BrokerProcess::BrokerProcess(World& world)
    : world_{world},
      parties_{county_parties()},
      log_key_{"county.example/log", log::VerifierKey::Type::note, log_private().public_key()} {}

BrokerProcess::~BrokerProcess() = default;

// --- Starting and dying

void BrokerProcess::start() {
    life_ = new_life();
    ++starts_;
    world_.note(me, "starts", starts_);
    run([this] {
        open_store();
        recover();
        sign();
        end_turn();
    });
}

void BrokerProcess::open_store() {
    if (world_.settings.plant == Plant::disk_set_back_to_a_backup) {
        if (starts_ == 2) backup_ = world_.disk.platter;
        if (starts_ == 3) world_.disk.platter = *backup_;
    }
    store_ = std::make_unique<ModelStore>(world_.disk);
    reader_ = std::make_unique<ModelReader>(world_.disk);
    settle_uncertain();
    const auto& head = world_.disk.platter.signed_head;
    const auto read = [this](log::TileId id) { return reader_->tile(id); };
    if (head && (head->size > store_->size() || log::root_at(head->size, read) != head->root))
        throw store::StorageFailure{"the store is not the one whose head was signed"};
    signer_.emplace(log_private(), head ? *head : log::Signer::new_log(log_key_.name()),
                    [this](const log::Checkpoint& newest) {
                        world_.disk.platter.signed_head = newest;
                        world_.may_die_here();
                    });
}

// Of what was being committed when the process died each batch is there as a whole, or not at all, and none without those
// before it.
void BrokerProcess::settle_uncertain() {
    world_.tell([&](auto& each) { each.reopened(store_->size()); });
    for (const auto& uncertain = world_.ledger.uncertain(); !uncertain.empty();) {
        const std::uint64_t first = world_.ledger.size();
        const auto count = uncertain.front().records.size();
        const auto size = first + count;
        if (count == 0 || store_->size() < size) break;
        store::Committed committed{
            first, {}, size, log::root_at(size, [&](log::TileId id) { return reader_->tile(id); })};
        for (std::size_t i = 0; i < count; ++i)
            committed.leaves.push_back(log::leaf_hash(*reader_->leaf(first + i)));
        world_.note(me, "finds a batch on its disk", first, count);
        book(committed);
    }
    world_.ledger.lost();
}

void BrokerProcess::book(const store::Committed& committed) {
    if (committed.first_index != world_.ledger.size()) return;  // a disk set back writes its history anew
    const auto& batch = world_.ledger.durable(committed);
    world_.note(me, "on disk", committed.first_index, committed.leaves.size());
    world_.trace.mix(committed.root);
    world_.summary.records += committed.leaves.size();
    world_.tell([&](auto& each) { each.committed(batch, committed); });
}

void BrokerProcess::recover() {
    exchange_ = std::make_unique<exchange::Exchange>(exchange_setting());
    store_->reload([&](std::uint64_t index, log::LeafKind kind, const Bytes& body) {
        exchange_->apply(index, kind, body);
    });
    const std::uint64_t size = store_->size();
    exchange_->set_next_index(size);
    const Instant newest = size == 0 ? Instant{} : log::decode_leaf(*reader_->leaf(size - 1))->time;
    world_.tell([&](auto& each) { each.recovered(*exchange_); });

    const bool always = world_.settings.plant == Plant::room_is_always_reported;
    time_.emplace(wall(), std::chrono::duration_cast<WallTime::Elapsed>(world_.scheduler.now()), newest);
    broker_ = std::make_unique<router::Broker>(
        router::BrokerSetting{*exchange_,
                              *reader_,
                              parties_,
                              world_.dice,
                              dedup_key(),
                              {},
                              log_key_,
                              [this, always] { return always || !world_.disk.full; },
                              texts(),
                              size,
                              store_->root(),
                              newest},
        time_->moment());
}

void BrokerProcess::die(bool quietly) {
    if (!alive()) return;
    world_.note(me, quietly ? "and its machine are gone" : "dies");
    ++world_.summary.deaths;
    life_.reset();
    serving_ = false;
    // Sectors that were written and not synced: by luck all of a batch survive, or else it is not there, nor what follows.
    for (auto batches = world_.ledger.uncertain(); !batches.empty() && !store_asked_ && store_;
         batches.pop_front()) {
        auto& written = batches.front();
        if (written.records.empty()) break;
        const bool half = world_.settings.plant == Plant::store_writes_half_a_batch;
        if (half) {
            written.records.resize((written.records.size() + 1) / 2);
            written.receipts.clear();
        }
        if (!half && !world_.dice.one_in(3)) break;
        world_.disk.next_commit = Disk::Fault::none;
        store_->commit(std::move(written));
        if (half) break;
    }
    for (auto& [session, door] : doors_) {
        if (quietly) door.connection->fall_silent();
        door.connection->close(End::gate);
    }
    doors_.clear();
    fabric_.clear();
    fabric_planned_ = turn_planned_ = store_busy_ = store_asked_ = false;
    news_.clear();
    heads_.clear();
    on_disk_at_ = Moment{0};
    broker_.reset();
    exchange_.reset();
    signer_.reset();
    reader_.reset();
    store_.reset();
}

void BrokerProcess::die_and_restart(bool quietly) {
    die(quietly);
    restart_after(world_.dice.between(100ms, world_.dice.one_in(4) ? 40s : 4s));
}

void BrokerProcess::restart_after(microseconds delay) {
    world_.after(delay, [this] {
        if (!alive() && !world_.dark()) start();
    });
}

/// One step of the process: it may die in it, and a disk that fails ends it.
void BrokerProcess::run(const std::function<void()>& step) {
    try {
        step();
    } catch (const Death&) {
        die_and_restart(world_.dice.one_in(3));
    } catch (const InjectedFailure& failure) {
        world_.note(me, failure.what());
        die_and_restart(false);
    }
}

// --- As BrokerLoop

Instant BrokerProcess::wall() const { return epoch + world_.scheduler.now() + clock_offset_; }

Now BrokerProcess::now() {
    const auto running = world_.scheduler.now();
    if (world_.settings.plant == Plant::broker_trusts_the_wall_clock) return {wall(), Running{running}};
    time_->advance(wall(), std::chrono::duration_cast<WallTime::Elapsed>(running));
    return time_->moment();
}

void BrokerProcess::turn_soon(microseconds delay) {
    if (std::exchange(turn_planned_, true)) return;
    world_.scheduler.after(delay, life_, [this] {
        turn_planned_ = false;
        run([this] { end_turn(); });
    });
}

void BrokerProcess::end_turn() {
    if (broker_->behind()) broker_->deliver_backlog();
    hand_over();
    world_.may_die_here();
    flush();
    if (broker_->behind())
        turn_soon(microseconds{1});
    else if (!store_busy_ && !broker_->idle())
        turn_soon(limits::acknowledgements_wait_max);
}

void BrokerProcess::plan_tick() {
    world_.scheduler.after(limits::tick_interval, life_, [this] {
        plan_tick();
        run([this] {
            const Now moment = now();
            if (const auto step = time_->step()) broker_->clock_stepped(*step, moment);
            broker_->tick(moment);
            if (!store_busy_) {
                sign_if_due();
                take_news();
            }
            end_turn();
        });
    });
}

void BrokerProcess::hand_over() {
    if (store_busy_ || world_.ledger.uncertain().size() > router::Syncer::unsynced_max) return;
    auto batch = broker_->next_batch(now());
    if (!batch) return;
    store_busy_ = true;
    world_.ledger.handed_over(*batch);
    world_.may_die_here();
    const bool answers_early = world_.settings.plant == Plant::store_answers_before_syncing;
    if (answers_early) {
        Disk scratch = world_.disk;
        scratch.next_commit = Disk::Fault::none;
        hear({ModelStore{scratch}.commit(*batch), false});
    }
    // Now and then the store is free again while the disk is not: the next batch may then be written ahead.
    const bool ahead = !answers_early && world_.dice.one_in(2);
    if (ahead)
        world_.scheduler.after(world_.dice.between(20us, 500us), life_, [this] {
            store_busy_ = false;
            run([this] { end_turn(); });
        });
    const auto now = world_.scheduler.now();
    on_disk_at_ = std::max(on_disk_at_, now) + (answers_early ? 500ms : commit_lasts());
    world_.scheduler.after(on_disk_at_ - now, life_,
                           [this, ahead, held = std::move(*batch)] { run([&] { commit(held, !ahead); }); });
}

microseconds BrokerProcess::commit_lasts() {
    return world_.dice.one_in(20) ? world_.dice.between(100us, world_.weather.slowest_commit)
                                  : world_.dice.between(50us, 1ms);
}

exchange::InForce BrokerProcess::texts() const {
    return {county_agreement_text(),
            "# parties " + std::to_string(parties_number_) + "\n",
            {},
            "# revoked " + std::to_string(crl_number_) + "\n",
            crl_number_};
}

void BrokerProcess::files_changed() {
    if (!alive() || !serving_) return;
    run([this] {
        broker_->files_changed(texts(), now());
        end_turn();
    });
}

// --- As StoreThread

/// frees   whether the store has waited for this itself, and is free only now
void BrokerProcess::commit(store::Batch batch, bool frees) {
    world_.may_die_here();
    store_asked_ = true;
    const auto committed = store_->commit(std::move(batch));
    store_asked_ = false;
    book(committed);
    world_.may_die_here();
    sign_if_due();
    if (world_.settings.plant == Plant::store_answers_before_syncing) {
        store_busy_ = false;
        return turn_soon(microseconds{1});
    }
    hear({committed, frees});
}

/// The broker thread is told, a little later.
void BrokerProcess::hear(News news) {
    news_.push_back(std::move(news));
    world_.scheduler.after(world_.dice.between(10us, 500us), life_, [this] {
        run([&] {
            take_news();
            end_turn();
        });
    });
}

void BrokerProcess::take_news() {
    for (const auto& head : std::exchange(heads_, {})) broker_->head_signed(head);
    const auto news = std::exchange(news_, {});
    if (news.empty()) return;
    for (const auto& [committed, frees] : news) {
        if (frees) store_busy_ = false;
        broker_->committed(committed, now());
    }
    if (!serving_ && broker_->idle()) {
        serving_ = true;
        plan_tick();
    }
}

void BrokerProcess::sign_if_due() {
    const std::uint64_t unsigned_leaves = store_->size() - signed_size_;
    if (unsigned_leaves == 0) return;
    const bool due = world_.scheduler.now() - signed_at_ >= limits::checkpoint_interval;
    if (unsigned_leaves >= limits::checkpoint_leaves || due) sign();
}

void BrokerProcess::sign() {
    const std::uint64_t size = store_->size();
    const std::uint64_t last = signer_->last().size;
    const auto proof =
        last == 0 || last >= size
            ? std::vector<Digest>{}
            : log::consistency_proof(last, size, [&](log::TileId id) { return reader_->tile(id); });
    const auto note = signer_->sign(size, store_->root(), proof);
    if (!note) throw store::StorageFailure{"the log contradicts the head signed last"};
    signed_size_ = size;
    signed_at_ = world_.scheduler.now();
    world_.tell([&](auto& each) { each.head_signed(signer_->last()); });
    store_->save_checkpoint(*note);
    heads_.push_back(*note);
}

// --- As the gate

void BrokerProcess::accept(const std::shared_ptr<Connection>& connection, const AgencyId& agency) {
    if (!serving_ || revoked(agency)) return connection->close(End::gate);
    const Id16 session = world_.dice.bytes<16>();
    connection->receive_at(End::gate, {[this, session](BytesView bytes) { arrived(session, bytes); },
                                       [this, session] { hung_up(session); }, life_});
    doors_.try_emplace(session, Door{connection, agency});
    const auto greeting = wire::zmtp::greeting();
    connection->send(End::gate, greeting);
    connection->send(End::gate, wire::zmtp::ready_command("ROUTER"));
    world_.scheduler.after(limits::handshake_time_max, life_, [this, session] {
        const auto door = doors_.find(session);
        if (door == doors_.end() || door->second.opened) return;
        door->second.connection->close(End::gate);
        doors_.erase(door);
    });
}

void BrokerProcess::arrived(const Id16& session, BytesView bytes) {
    const auto found = doors_.find(session);
    if (found == doors_.end()) return;
    Door& door = found->second;
    const auto fed = door.parser.feed(bytes, [&](wire::zmtp::Event event) {
        if (std::holds_alternative<wire::zmtp::Ready>(event)) {
            door.opened = true;
            to_broker(ItemKind::open, session,
                      fabric::write_opening({spiffe(door.agency.text()), Digest{1},
                                             epoch + std::chrono::hours{24 * 365 * 10}, "192.0.2.1:1"}));
        }
        if (const auto* message = std::get_if<wire::zmtp::Message>(&event))
            door.waiting.push_back(copy(message->content));
    });
    if (!fed) {
        door.connection->close(End::gate);
        return forget_door(session, Reason::malformed);
    }
    forward(session, door);
}

void BrokerProcess::hung_up(const Id16& session) { forget_door(session, Reason::none); }

void BrokerProcess::forward(const Id16& session, Door& door) {
    while (door.window > 0 && !door.waiting.empty()) {
        to_broker(ItemKind::frame, session, door.waiting.front());
        door.waiting.pop_front();
        --door.window;
    }
}

void BrokerProcess::to_broker(ItemKind kind, const Id16& session, BytesView content) {
    fabric::append(fabric_, kind, session, content);
    if (std::exchange(fabric_planned_, true)) return;
    world_.scheduler.after(world_.dice.between(0us, 300us), life_, [this] {
        fabric_planned_ = false;
        const Bytes batch = std::exchange(fabric_, {});
        run([&] {
            const auto items = fabric::read_batch(batch).value();
            for (const auto& item : items)
                if (item.kind == ItemKind::frame)
                    world_.tell([&](auto& each) { each.heard(item.session, item.content); });
            broker_->from_gate(gate_name, true, batch, now());
            world_.may_die_here();
            end_turn();
        });
    });
}

void BrokerProcess::flush() {
    const auto output = broker_->take_output();
    for (const auto& [gate, batch] : output) {
        const auto items = spoilt(fabric::read_batch(batch).value());
        for (const auto& item : items) take_item(item);
    }
}

/// What a gate with a planted bug makes of what it is given.
std::vector<fabric::Item> BrokerProcess::spoilt(std::vector<fabric::Item> items) {
    const auto is_delivery = [](const fabric::Item& item) {
        return item.kind == ItemKind::frame &&
               (*wire::read_frame(item.content))->body_type() == schemas::Body::Deliver;
    };
    switch (world_.settings.plant) {
        case Plant::gate_swaps_deliveries:
            for (std::size_t i = 1; i < items.size(); ++i)
                if (is_delivery(items[i - 1]) && is_delivery(items[i])) std::swap(items[i - 1], items[i]);
            break;
        case Plant::gate_repeats_deliveries:
            for (std::size_t i = items.size(); i-- > 0;)
                if (is_delivery(items[i]))
                    items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), items[i]);
            break;
        case Plant::gate_mixes_up_sessions:
            for (auto& item : items)
                if (is_delivery(item) && !doors_.empty()) item.session = doors_.begin()->first;
            break;
        default:
            break;
    }
    return items;
}

void BrokerProcess::take_item(const fabric::Item& item) {
    const auto found = doors_.find(item.session);
    if (found == doors_.end()) return;  // closed meanwhile: the broker has not heard yet
    Door& door = found->second;
    switch (item.kind) {
        case ItemKind::frame:
            world_.tell([&](auto& each) { each.told(door.agency, item.session, item.content); });
            return send_frame(door, item.content);
        case ItemKind::kick:
            return shut_door(item.session, fabric::read_ending(item.content).value());
        case ItemKind::window:
            door.window += fabric::read_window(item.content).value();
            return forward(item.session, door);
        default:
            throw std::logic_error{"an item that is not for a gate"};
    }
}

void BrokerProcess::send_frame(Door& door, BytesView frame) {
    Bytes bytes;
    wire::zmtp::append_message(bytes, frame);
    door.connection->send(End::gate, bytes);
}

void BrokerProcess::shut_door(const Id16& session, const fabric::Ending& why) {
    Door& door = doors_.at(session);
    if (why.reason != Reason::none) {
        schemas::GoodbyeValue goodbye;
        goodbye.reason = static_cast<schemas::Reason>(why.reason);
        goodbye.where = why.text;
        send_frame(door, wire::pack_frame(std::move(goodbye)));
    }
    door.connection->close(End::gate);
    forget_door(session, why.reason);
}

void BrokerProcess::forget_door(const Id16& session, Reason why) {
    const auto door = doors_.find(session);
    if (door == doors_.end()) return;
    const bool opened = door->second.opened;
    doors_.erase(door);
    if (opened) to_broker(ItemKind::close, session, fabric::write_ending(why));
}

// --- What the world does to it

void BrokerProcess::lose_gate() {
    if (!serving_) return;
    world_.note(me, "loses its gate");
    for (auto& [session, door] : doors_) door.connection->close(End::gate);
    doors_.clear();
    fabric_.clear();
    run([this] {
        broker_->gate_lost(gate_name, now());
        end_turn();
    });
}

void BrokerProcess::revoke(const AgencyId& agency) {
    world_.note(agency.text(), "is revoked");
    revoked_.insert(agency);
    world_.tell([&](auto& each) { each.revoked(agency); });
    ++crl_number_;
    std::vector<Id16> sessions;
    for (const auto& [session, door] : doors_)
        if (door.agency == agency) sessions.push_back(session);
    if (world_.settings.plant != Plant::gate_lets_the_revoked_stay)
        for (const auto& session : sessions) shut_door(session, {Reason::revoked, "certificate"});
    files_changed();
}

void BrokerProcess::pardon(const AgencyId& agency) {
    revoked_.erase(agency);
    world_.tell([&](auto& each) { each.pardoned(agency); });
}

void BrokerProcess::withdraw_key(const AgencyId& agency) {
    world_.note(agency.text(), "has its key withdrawn");
    parties_.keys[agency].origin.clear();
    ++parties_number_;
    files_changed();
}

void BrokerProcess::restore_keys() {
    parties_ = county_parties();
    ++parties_number_;
    files_changed();
}

}  // namespace flagpost::simulation
