#include "broker/app/serve.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <system_error>

#include "broker/app/files.h"
#include "broker/app/key_list.h"
#include "broker/app/parties.h"
#include "broker/app/signals.h"
#include "broker/app/signer_link.h"
#include "broker/app/signing.h"
#include "broker/app/watchman.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/keys.h"
#include "broker/gate/gate.h"
#include "broker/manage/server.h"
#include "broker/router/broker_loop.h"
#include "broker/store/disk.h"
#include "broker/store/durable_file.h"
#include "broker/store/sqlite/keys.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "broker/store/sqlite/statistics_file.h"

namespace flagpost::app {
namespace {

constexpr const char* fabric_endpoint = "inproc://flagpost-fabric";
constexpr std::size_t gates_told_max =
    128 * limits::gates_max;  // what the certificates of all gates add to the keys

agreement::Agreement load_agreement(const BrokerConfig& config) {
    auto agreement = agreement::Agreement::parse(read_text(config.agreement));
    if (!agreement) throw std::runtime_error{config.agreement.string() + ": " + agreement.error().where};
    if (agreement->partnership() != config.partnership)
        throw std::runtime_error{config.agreement.string() + ": is of another partnership"};
    return std::move(*agreement);
}

SpiffeId broker_id(const BrokerConfig& config) {
    auto id = SpiffeId::parse("spiffe://" + config.partnership + "/broker/main");
    if (!id) throw std::runtime_error{"partnership: " + id.error().where};
    return std::move(*id);
}

/// Whether a head of a log with entries was ever signed. The head of the empty log binds nobody to anything, and the
/// signer keeps no note of it.
bool signed_something(const store::Store& store) {
    const auto note = store.checkpoint();
    const auto parsed = note ? log::SignedNote::parse(*note) : refuse(Reason::not_found, "checkpoint");
    const auto head = parsed ? log::Checkpoint::parse(parsed->text) : tl::unexpected{parsed.error()};
    return head && head->size > 0;
}

/// In a process of its own, where the config names one.
std::unique_ptr<log::HeadSigner> make_signer(const BrokerConfig& config) {
    if (config.signer) return std::make_unique<RemoteSigner>(*config.signer, load_vkey(config.log.vkey));
    return std::make_unique<log::Signer>(load_signer(config.log, config.signed_head()));
}

/// Applies what is stored to an exchange that knows nothing yet; the time of the newest leaf.
Instant recover(exchange::Exchange& exchange, store::Store& store, store::Reader& reader) {
    std::uint64_t live = 0;
    store.reload([&](std::uint64_t index, log::LeafKind kind, const Bytes& body) {
        exchange.apply(index, kind, body);
        ++live;
    });
    const std::uint64_t size = store.size();
    exchange.set_next_index(size);
    spdlog::info("recovered: {} entries in the log, state rests on {}", size, live);
    if (size == 0) return Instant{};
    const auto bytes = reader.leaf(size - 1);
    const auto newest = bytes ? log::decode_leaf(*bytes) : refuse(Reason::not_found, "missing");
    if (!newest) throw store::StorageFailure{"the newest leaf: " + newest.error().where};
    return newest->time;
}

/// The exact texts in force, for the log to name and for auditors to hold against that.
exchange::InForce in_force(const BrokerConfig& config, const agreement::Agreement& agreement,
                           const router::Parties& parties, std::string keys) {
    exchange::InForce texts{read_text(config.agreement), read_text(config.parties), std::move(keys)};
    if (crypto::sha256(view(texts.agreement)) != agreement.digest() ||
        crypto::sha256(view(texts.parties)) != parties.digest)
        throw std::runtime_error{"agreement or parties changed while they were read: start again"};
    if (router::policies_json(texts).size() + gates_told_max > limits::payload_size_max)
        throw std::runtime_error{"agreement, parties and keys together are longer than an answer may be"};
    return texts;
}

gate::GateConfig gate_config(const BrokerConfig& config) {
    gate::GateConfig gate;
    gate.host = config.listen->host;
    gate.port = config.listen->port;
    gate.tls = config.tls;
    gate.partnership = config.partnership;
    gate.fabric_endpoint = fabric_endpoint;
    return gate;
}

/// Whether there is room, looked up once a second: statvfs for every message would cost more than the message.
std::function<bool()> room_on(const std::filesystem::path& database, Clock& clock) {
    return [database, &clock, looked = Instant::min(), room = true]() mutable {
        const Instant now = clock.now();
        if (now >= looked && now < looked + std::chrono::seconds{1}) return room;
        looked = now;
        const bool had_room = std::exchange(room, store::has_room(database));
        if (had_room != room)
            spdlog::log(room ? spdlog::level::info : spdlog::level::critical,
                        room ? "disk: room again" : "disk: less than 10 % free, publishes are refused");
        return room;
    };
}

/// Figures are worth keeping and not worth stopping for: told once, tried again with the next.
std::function<bool(const store::Tally&)> statistics_keeper(const std::filesystem::path& file, Clock& clock) {
    return [file, &clock, failing = false](const store::Tally& tally) mutable {
        try {
            store::sqlite::add_statistics(file, tally, clock.now());
            if (std::exchange(failing, false)) spdlog::info("statistics are kept again");
            return true;
        } catch (const store::StorageFailure& failure) {
            if (!std::exchange(failing, true)) spdlog::error("not kept for now: {}", failure.what());
            return false;
        }
    };
}

void reload(const BrokerConfig& config, const agreement::Agreement& agreement, router::Parties& parties,
            const std::function<std::string()>& list_keys, router::BrokerLoop& loop) {
    spdlog::info("reading certificates, revocation list and parties anew");
    try {
        auto newest = load_parties(config.parties);
        auto texts = in_force(config, agreement, newest, list_keys());
        parties = std::move(newest);  // in place: sessions look at it with each message
        loop.files_changed(std::move(texts));
    } catch (const std::runtime_error& error) {
        // Our own file is wrong while we serve: what is in force stays in force, and somebody is told.
        spdlog::error("not read anew: {}", error.what());
    }
}

}  // namespace

void serve(const BrokerConfig& config) {
    const Signals signals;
    SystemClock clock;
    crypto::SystemRandom random, store_random, gate_random;

    const auto agreement = load_agreement(config);
    auto parties = load_parties(config.parties);
    auto keys = crypto::BrokerKeys::load(config.keys, config.masters);
    const auto log_public = load_vkey(config.log.vkey);
    const auto list_keys = [&] { return key_list(config, keys, log_public); };
    auto texts = in_force(config, agreement, parties, list_keys());
    std::optional<crypto::SymmetricKey> fabric_key;
    if (config.fabric) fabric_key = crypto::load_symmetric_key(config.fabric->key);

    store::make_folder_durably(config.data);
    std::filesystem::permissions(config.data, std::filesystem::perms::owner_all);
    auto signer = make_signer(config);
    if (signer->last().origin != log_public.name())
        throw std::runtime_error{"the signer signs for " + signer->last().origin + ", not for " +
                                 log_public.name()};
    const auto head = signer->last().size > 0 ? std::optional{signer->last()} : std::nullopt;
    auto store = store::sqlite::open_store({config.database(), keys.master, keys.digest, store_random, head});
    if (const auto left = store->rewraps_left(); left > 0)
        spdlog::info("moving wraps to the new master key: {} entries to look at", left);
    else if (keys.master.previous)
        spdlog::info("every wrap is under the new master key: keys.master_previous is not needed any more");
    if (const auto again = store->erased_unlogged(); !again.empty())
        spdlog::error("an older copy of the store was put back: {} bodies erased since were erased again",
                      again.size());
    if (!head && signed_something(*store))
        throw store::StorageFailure{
            "heads of this log were signed, but the signer's memory of it is gone: restore " +
            (config.signer ? "its state" : config.signed_head().string()) +
            ", or nothing stops this log from forking"};
    const auto open_reader = [file = config.database(), master = keys.master, digest = keys.digest] {
        return store::sqlite::open_store_reader(file, master, digest);
    };
    const auto reader = open_reader();

    exchange::Exchange exchange{
        {agreement, broker_id(config),
         [seed = keys.seed](std::string_view what) { return crypto::hmac16(seed, {view(what)}); },
         date::locate_zone("Europe/London"),
         [names = store::sqlite::Pseudonyms{keys.digest}](std::string_view subject) {
             return names.subject(subject);
         }}
    };
    const Instant newest = recover(exchange, *store, *reader);

    const gate::Counters* gate_counts = nullptr;
    manage::Board board;
    Watchman watchman{config, [&gate_counts] { return gate_counts; }, board};
    router::BrokerSetting setting{exchange,
                                  *reader,
                                  parties,
                                  random,
                                  keys.dedup,
                                  fabric_key,
                                  log_public,
                                  room_on(config.database(), clock),
                                  std::move(texts),
                                  store->size(),
                                  store->root(),
                                  newest,
                                  store->cosigned(),
                                  [] { return kernel_clock().synchronised; },
                                  peers_of(agreement, parties),
                                  agreement.dead_letter_owner(),
                                  [&watchman] { return watchman.report(); },
                                  store->erased_unlogged(),
                                  load_vkey_previous(config.log)};
    router::StoreThread store_thread{
        {std::move(store), open_reader, std::move(signer), statistics_keeper(config.statistics(), clock)}
    };

    zmq::context_t fabric;
    std::optional<gate::GateThread> gate;
    std::optional<router::BrokerLoop> loop;
    const auto control = [&] {
        while (const int signal = signals.next()) {
            if (signal != SIGHUP) return false;
            reload(config, agreement, parties, list_keys, *loop);
            if (gate) gate->reload();
        }
        return true;
    };
    loop.emplace(router::LoopSetting{fabric, fabric_endpoint,
                                     config.fabric ? std::optional{config.fabric->endpoint} : std::nullopt,
                                     clock, signals.fd(), control,
                                     [&watchman](standing::Standing now) { watchman.look(std::move(now)); }},
                 std::move(setting), store_thread);
    std::optional<manage::Server> management;
    if (const auto& listen = config.management.listen) {
        management.emplace(listen->host, listen->port, board, [file = config.statistics(), &clock] {
            return store::sqlite::statistics_csv(file, clock.now() - manage::statistics_shown);
        });
        spdlog::info("management: http://{}:{}/status.json", listen->host, management->port());
    }
    if (config.listen) {
        gate.emplace(gate_config(config), fabric, clock, gate_random);
        gate_counts = &gate->counters();
    }
    if (std::printf("ready %d\n", gate ? gate->port() : 0) < 0 || std::fflush(stdout) != 0)
        throw std::runtime_error{"stdout: cannot say that clients may come"};
    spdlog::info("serving");
    loop->run();
    gate.reset();  // after the last goodbye has been handed to it
    spdlog::info("stopped: everything decided is committed, the last head is signed");
}

}  // namespace flagpost::app
