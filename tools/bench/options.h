/// What flagpost-bench was asked to do: the flags of its one interface, as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace flagpost::bench {

enum class Kind { opaque, incident };

struct Options {
    std::string mode;
    std::string host = "localhost";
    std::uint16_t port = 0;
    std::filesystem::path certs;  // a folder made by certs/make-dev-pki
    Kind kind = Kind::opaque;
    std::size_t conns = 1;
    std::size_t window = 64;
    std::size_t size = 1024;  // bytes of payload
    double seconds = 5;
    double warmup = 1;
    double rate = 500;               // messages a second, open loop
    std::size_t slow = 0;            // fanout: how many of the subscribers stop taking
    std::vector<std::size_t> steps;  // idle connections
    double limit = 60;               // seconds a step may take
    std::filesystem::path log;       // "connection sequence" of each confirm, a line each
    std::string force = "31";
    std::string authority = "E10000024";  // whose notices are awaited, for incidents
    std::string
        people;  // incident: CSV of flagged children, family,given,born,line_1,postcode; match: how many
    std::size_t hits = 2;             // of 1,000 incidents, how many name one of them
    std::filesystem::path directory;  // limits: where to write; on the disk the broker uses
    std::filesystem::path store;      // limits: a broker's database whose row sizes to imitate
};

/// Throws CLI::ParseError, help included.
Options read_options(int argc, char** argv);

}  // namespace flagpost::bench
