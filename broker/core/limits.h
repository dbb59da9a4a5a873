/// Every bound the broker keeps, by name. Sizes in bytes unless the name says otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace flagpost::limits {

using namespace std::chrono_literals;

// One message
inline constexpr std::size_t frame_size_max = 1024 * 1024;
inline constexpr std::size_t payload_size_max = 960 * 1024;
inline constexpr std::size_t topic_size_max = 128;
inline constexpr std::size_t name_size_max = 64;  // subject references, durable names, software names
inline constexpr std::size_t spiffe_id_size_max = 255;
inline constexpr std::uint32_t flatbuffer_depth_max = 16;
inline constexpr std::uint32_t flatbuffer_tables_max = 20'000;
inline constexpr std::size_t origin_batch_max = 64;  // envelopes under one signature
inline constexpr std::size_t people_max = 100;       // in one incident

// One connection
inline constexpr auto handshake_time_max = 5s;  // TLS and ZMTP together, wall time
inline constexpr std::size_t handshake_bytes_max = 64 * 1024;
inline constexpr std::size_t handshakes_at_once_max = 64;
inline constexpr std::size_t handshakes_per_source_max = 8;
inline constexpr auto message_time_max = 10s;  // from a frame's first byte to its last
inline constexpr std::size_t zmtp_command_size_max = 512;
inline constexpr std::size_t zmtp_identity_size_max = 255;
inline constexpr auto hello_time_max = 10s;  // from WELCOME being possible to Hello being there
inline constexpr auto heartbeat_interval = 5s;
inline constexpr auto dead_after = 15s;
inline constexpr std::size_t output_queue_max = 4 * 1024 * 1024;  // a peer that does not read is dropped
inline constexpr auto session_lease = 12h;

// One session
inline constexpr std::uint32_t publish_window = 2048;
inline constexpr std::uint32_t credit_messages_max = 1024;
inline constexpr std::uint64_t credit_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t topics_per_session_max = 2000;
inline constexpr std::size_t acknowledged_at_once_max = 1024;

// Time
inline constexpr auto clock_ahead_max = 5min;
inline constexpr auto dedup_kept = std::chrono::hours{24 * 400};
inline constexpr auto clock_step_min = 2s;
inline constexpr auto clock_hold_min = 5min;
inline constexpr auto late_flag_window = 72h;

// Loads
inline constexpr std::uint32_t load_records_max = 2'000'000;
inline constexpr std::size_t load_bytes_max = 256 * 1024 * 1024;  // staged, per load
inline constexpr std::uint32_t load_part_records_max = 1000;
inline constexpr auto load_open_max = 1h;
inline constexpr std::size_t load_results_max = 1000;  // rejected records reported one by one

// Store
inline constexpr std::size_t batch_records_max = 256;  // a load is applied whole, however large
inline constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
inline constexpr double free_disk_min = 0.10;  // below it publishes are refused
inline constexpr std::uint64_t reserve_bytes = 64ull * 1024 * 1024;
inline constexpr std::size_t leaf_size_max = 65'535;  // C2SP tlog-tiles entry

// Log
inline constexpr auto checkpoint_interval = 1s;
inline constexpr std::uint64_t checkpoint_leaves = 1000;

}  // namespace flagpost::limits
