// What the machine can do without us: sync a file, commit rows like ours in groups, move bytes through TLS;
// and what our own store does without gate and router.
#include "broker/core/limits.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "broker/crypto/keys.h"
#include "broker/crypto/tls.h"
#include "broker/store/disk.h"
#include "broker/store/durable_file.h"
#include "broker/store/sqlite/database.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "tools/bench/measure.h"
#include "tools/bench/modes.h"

namespace flagpost::bench {
namespace {

using store::sqlite::Query;

constexpr std::size_t sync_block = 4096;
constexpr std::size_t sync_file = 8 * 1024 * 1024;
constexpr auto batches = {1u, 16u, 64u, 256u, 1024u};

/// A folder of our own below the one given, emptied at the end.
class Scratch {
public:
    explicit Scratch(const std::filesystem::path& below) {
        std::string name = ((below.empty() ? "." : below) / "flagpost-bench-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"cannot write in --directory"};
        path_ = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path file(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

bool before(std::int64_t end_ns) { return now_ns() < end_ns; }
std::int64_t end_after(double seconds) { return now_ns() + static_cast<std::int64_t>(seconds * 1e9); }

void measure_fdatasync(const Scratch& scratch, double seconds, bool growing) {
    const store::Descriptor file{
        ::open(scratch.file("sync").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    const Bytes block(sync_block, 0x5a);
    const auto write_at = [&](std::size_t at) {
        if (::pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(at)) < 0 ||
            ::fdatasync(file.get()) != 0)
            throw std::runtime_error{"cannot write and sync in --directory"};
    };
    if (!growing) {
        for (std::size_t at = 0; at < sync_file; at += sync_block)
            if (::pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(at)) < 0)
                throw std::runtime_error{"cannot write in --directory"};
        ::fsync(file.get());
    }
    Durations took;
    std::size_t at = 0;
    for (const auto end = end_after(seconds); before(end); at += sync_block) {
        const auto start = now_ns();
        write_at(growing ? at : at % sync_file);
        took.add(now_ns() - start);
    }
    print({
        {"mode",   "limits"                                            },
        {"what",   growing ? "fdatasync_growing" : "fdatasync"         },
        {"bytes",  sync_block                                          },
        {"rate",   rounded(static_cast<double>(took.count()) / seconds)},
        {"p50_us", took.us_at(0.5)                                     },
        {"p99_us", took.us_at(0.99)                                    }
    });
}

/// How many rows of which sizes one message is.
struct Shape {
    double entries = 1, live = 1, receipts = 1;
    std::size_t leaf = 280, keys = 30, body = 1400;  // of one entry, bytes

    static Shape of(const std::filesystem::path& file);
    double rows() const { return entries + live + receipts; }
};

/// The last 10,000 entries of a broker's database, divided by the messages received among them.
Shape Shape::of(const std::filesystem::path& file) {
    auto database = store::sqlite::open_reader(file);
    const auto one = [&](const std::string& sql) {
        SQLite::Statement row{database, sql + " WHERE idx > (SELECT max(idx) - 10000 FROM entry)"};
        return row.executeStep() ? row.getColumn(0).getDouble() : 0.0;
    };
    const double messages = one("SELECT count(*) FROM receipt");
    if (messages == 0) throw std::runtime_error{"--store: no messages among its last 10,000 entries"};
    Shape shape;
    shape.entries = one("SELECT count(*) FROM entry") / messages;
    shape.live = one("SELECT count(*) FROM live") / messages;
    shape.leaf = static_cast<std::size_t>(one("SELECT avg(length(leaf)) FROM entry"));
    shape.keys = static_cast<std::size_t>(one("SELECT avg(ifnull(length(keys), 0)) FROM entry"));
    shape.body = static_cast<std::size_t>(one("SELECT avg(ifnull(length(body), 0)) FROM entry"));
    return shape;
}

/// Rows like the store's, in the store's file with the store's settings: no encryption, no hashing, no tree.
class RawCommits {
public:
    RawCommits(const std::filesystem::path& file, const Shape& shape)
        : database_{store::sqlite::open_writer(file)},
          shape_{shape},
          entry_{database_,
                 "INSERT INTO entry(idx, hash, leaf, keys, label, wrap, body) VALUES(?, ?, ?, ?, 1, ?, ?)"},
          live_{database_, "INSERT OR REPLACE INTO live(key, idx) VALUES(?, ?)"},
          receipt_{database_, "INSERT INTO receipt(agency, message, bytes, idx) VALUES(1, ?, ?, ?)"},
          hash_(32, 1),
          leaf_(shape.leaf, 2),
          keys_(shape.keys, 3),
          wrap_(76, 4),
          body_(shape.body, 5) {
        database_.exec("INSERT INTO label VALUES(1, 'bench/1', 'bench')");
        database_.exec("INSERT INTO agency VALUES(1, 'bench/1')");
        sqlite3_wal_hook(database_.getHandle(), note_frames, this);
    }

    void commit(unsigned messages) {
        SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
        for (unsigned i = 0; i < messages; ++i) add_message();
        transaction.commit();
        rows_ += messages * shape_.entries * static_cast<double>(shape_.leaf + shape_.keys + shape_.body);
        if (rows_ < limits::wal_rows_max && frames_ < limits::wal_frames_max) return;
        rows_ = 0;
        sqlite3_wal_checkpoint_v2(database_.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                  nullptr);
    }

private:
    static int note_frames(void* self, sqlite3*, const char*, int frames) {
        static_cast<RawCommits*>(self)->frames_ = frames;
        return SQLITE_OK;
    }

    void add_message() {
        const auto name = "\1delivery/bench/1/" + std::to_string(1'000'000'000 + messages_);
        for (; entries_owed() >= 1; ++entries_) entry_.run(entries_, hash_, leaf_, keys_, wrap_, body_);
        for (; live_owed() >= 1; ++lives_) live_.run(view(name + std::to_string(lives_)), entries_);
        Bytes id(16, 0);
        for (int i = 0; i < 8; ++i)
            id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(messages_ >> (56 - 8 * i));
        receipt_.run(id, hash_, entries_);
        ++messages_;
    }
    double entries_owed() const {
        return shape_.entries * static_cast<double>(messages_ + 1) - static_cast<double>(entries_);
    }
    double live_owed() const {
        return shape_.live * static_cast<double>(messages_ + 1) - static_cast<double>(lives_);
    }

    SQLite::Database database_;
    Shape shape_;
    Query entry_, live_, receipt_;
    Bytes hash_, leaf_, keys_, wrap_, body_;
    std::uint64_t messages_ = 0, entries_ = 0, lives_ = 0;
    int frames_ = 0;
    double rows_ = 0;  // bytes, since the last checkpoint
};

void print_commits(const char* what, unsigned batch, double seconds, Durations& took, const Shape& shape) {
    print({
        {"mode",             "limits"                                                       },
        {"what",             what                                                           },
        {"batch",            batch                                                          },
        {"rate",             std::round(static_cast<double>(took.count()) * batch / seconds)},
        {"p50_us",           took.us_at(0.5)                                                },
        {"p99_us",           took.us_at(0.99)                                               },
        {"p999_us",          took.us_at(0.999)                                              },
        {"rows_per_message", rounded(shape.rows())                                          },
        {"body_bytes",       shape.body                                                     }
    });
}

void measure_raw_commits(const Scratch& scratch, double seconds, const Shape& shape) {
    RawCommits raw{scratch.file("raw.db"), shape};
    for (const auto batch : batches) {
        Durations took;
        for (const auto end = end_after(seconds); before(end);) {
            const auto start = now_ns();
            raw.commit(batch);
            took.add(now_ns() - start);
        }
        print_commits("group_commit", batch, seconds, took, shape);
    }
}

log::Record record_like(const Shape& shape, std::uint64_t index) {
    log::Record record;
    record.leaf.kind = log::LeafKind::published;
    record.leaf.operation = log::Operation::collection;
    record.leaf.index = index;
    record.leaf.time = SystemClock{}.now();
    record.leaf.actor = "spiffe://bench.example/bench/1";
    record.leaf.topic = "bench/1";
    record.leaf.message = Id16{};
    record.leaf.session = Id16{};
    record.leaf.agreement = Digest{};
    record.body.assign(shape.body > 28 ? shape.body - 28 : 1, 7);
    record.controller = "bench/1";
    record.retention = "bench";
    record.sets = {
        {"delivery/bench/1/" + std::to_string(1'000'000'000 + index), false}
    };
    return record;
}

void measure_store_commits(const Scratch& scratch, double seconds, const Shape& shape) {
    crypto::SystemRandom random;
    const auto store = store::sqlite::open_store(
        {scratch.file("store.db"), crypto::SymmetricKey{{}}, crypto::SymmetricKey{{}}, random, std::nullopt});
    const auto agency = AgencyId::parse("bench/1").value();
    for (const auto batch : batches) {
        Durations took;
        for (const auto end = end_after(seconds); before(end);) {
            store::Batch given;
            for (unsigned i = 0; i < batch; ++i) {
                const auto index = store->size() + i;
                given.records.push_back(record_like(shape, index));
                given.receipts.push_back({agency, make_uuid7(SystemClock{}.now(), random), Digest{}, index});
            }
            const auto start = now_ns();
            store->commit(std::move(given));
            store->relieve();
            took.add(now_ns() - start);
        }
        print_commits("store_commit", batch, seconds, took, Shape{});
    }
}

/// A connected pair of TCP sockets over loopback.
std::pair<store::Descriptor, store::Descriptor> tcp_pair() {
    const store::Descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    store::Descriptor client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
        ::getsockname(listener.get(), generic, &size) != 0 || ::connect(client.get(), generic, size) != 0)
        throw std::runtime_error{"no loopback connection"};
    store::Descriptor server{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    const int on = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {std::move(client), std::move(server)};
}

void drain_tls(SSL* connection) {
    Bytes buffer(64 * 1024);
    if (SSL_accept(connection) != 1) return;
    while (SSL_read(connection, buffer.data(), static_cast<int>(buffer.size())) > 0) continue;
}

void measure_tls(const std::filesystem::path& certs, double seconds) {
    const auto broker = certs / "broker";
    const auto agency = certs / "bench-1";
    const auto server_context = crypto::make_server_context(
        {broker / "tls.crt", broker / "tls.key", certs / "ca.crt", certs / "crl.pem"});
    const auto client_context =
        crypto::make_client_context({agency / "tls.crt", agency / "tls.key", certs / "ca.crt", {}});
    for (const std::size_t write_size : {1120u, 16384u}) {
        const auto [client_socket, server_socket] = tcp_pair();
        const crypto::TlsConnection server{SSL_new(server_context.get())};
        SSL_set_fd(server.get(), server_socket.get());
        std::thread reader{drain_tls, server.get()};
        const auto client = crypto::begin_client(client_context.get(), "localhost");
        SSL_set_fd(client.get(), client_socket.get());
        std::uint64_t sent = 0;
        const Bytes block(write_size, 1);
        for (const auto end = end_after(seconds);
             before(end) && SSL_write(client.get(), block.data(), static_cast<int>(write_size)) > 0;)
            sent += write_size;
        ::shutdown(client_socket.get(), SHUT_RDWR);
        reader.join();
        print({
            {"mode",     "limits"                                             },
            {"what",     "tls_loopback"                                       },
            {"write",    write_size                                           },
            {"mb_per_s", std::round(static_cast<double>(sent) / seconds / 1e6)}
        });
    }
}

}  // namespace

int run_limits(const Options& options) {
    const Scratch scratch{options.directory};
    const auto shape = options.store.empty() ? Shape{} : Shape::of(options.store);
    measure_fdatasync(scratch, options.seconds, false);
    measure_fdatasync(scratch, options.seconds, true);
    measure_raw_commits(scratch, options.seconds, shape);
    measure_store_commits(scratch, options.seconds, shape);
    if (!options.certs.empty()) measure_tls(options.certs, options.seconds);
    return 0;
}

}  // namespace flagpost::bench
