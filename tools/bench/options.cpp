#include "tools/bench/options.h"

#include <CLI/CLI.hpp>

namespace flagpost::bench {
namespace {

void split_address(const std::string& address, Options& options) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos) throw CLI::ValidationError{"--broker", "HOST:PORT is wanted"};
    options.host = address.substr(0, colon);
    const int port = std::stoi(address.substr(colon + 1));
    if (port < 1 || port > 65535) throw CLI::ValidationError{"--broker", "no such port"};
    options.port = static_cast<std::uint16_t>(port);
}

}  // namespace

Options read_options(int argc, char** argv) {
    Options options;
    std::string broker = "localhost:7400";
    CLI::App app{
        "Measures a running broker, and the limits of the machine it runs on. One JSON line a result.",
        "flagpost-bench"};
    app.add_option(
           "--mode", options.mode,
           "pub: publish and await confirms, a window at a time; lat: publish at a rate, time until "
           "delivered; idle: hold connections; storm: hold them and come back when the broker has gone; "
           "drain: what came back of what was confirmed; fanout: one "
           "publisher, --conns durable subscribers; limits: the disk, SQLite and TLS by themselves; match: "
           "one person looked up among many, without a broker")
        ->required()
        ->check(CLI::IsMember({"pub", "lat", "idle", "storm", "drain", "fanout", "limits", "match"}));
    app.add_option("--broker", broker, "HOST:PORT")->capture_default_str();
    app.add_option("--certs", options.certs, "folder made by certs/make-dev-pki with bench/1, bench/2, ...");
    app.add_option("--kind", options.kind, "what is published")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Kind>{
            {"opaque",   Kind::opaque  },
            {"incident", Kind::incident}
    }));
    app.add_option("--conns", options.conns, "connections")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--window", options.window, "unconfirmed publishes a connection")
        ->capture_default_str()
        ->check(CLI::Range(1, 100'000));
    app.add_option("--size", options.size, "bytes of payload")
        ->capture_default_str()
        ->check(CLI::Range(64, 900'000));
    app.add_option("--seconds", options.seconds, "measured time")->capture_default_str();
    app.add_option("--warmup", options.warmup, "time before it")->capture_default_str();
    app.add_option("--rate", options.rate, "lat: messages a second")->capture_default_str();
    app.add_option("--slow", options.slow, "fanout: how many of the subscribers stop taking")
        ->capture_default_str();
    app.add_option("--steps", options.steps, "idle: connections to reach, one after another")->delimiter(',');
    app.add_option("--limit", options.limit, "idle, storm: seconds a step may take")->capture_default_str();
    app.add_option("--log", options.log, "pub: file to list confirms in; drain: that file");
    app.add_option("--force", options.force, "incident: the police force that publishes")
        ->capture_default_str();
    app.add_option("--authority", options.authority, "incident: whose notices are awaited")
        ->capture_default_str();
    app.add_option("--people", options.people,
                   "incident: CSV of flagged children (family,given,born,line_1,postcode); match: how many, "
                   "such as 10000,1000000");
    app.add_option("--hits", options.hits, "incident: of 1,000, how many name a flagged child")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000));
    app.add_option("--directory", options.directory, "limits: folder to write in, on the broker's disk");
    app.add_option("--store", options.store, "limits: a broker's database whose row sizes to imitate");
    app.parse(argc, argv);
    split_address(broker, options);
    return options;
}

}  // namespace flagpost::bench
