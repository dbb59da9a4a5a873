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
inline constexpr std::size_t origin_path_max = 6;    // hashes from one of them to the root
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
inline constexpr auto unacknowledged_max =
    14s;                                    // bytes the peer's TCP does not acknowledge: see half_open_max
inline constexpr auto half_open_max = 20s;  // within it both sides know of a connection that only looks alive
static_assert(heartbeat_interval + unacknowledged_max < half_open_max,
              "a heartbeat nobody acknowledges tells");
inline constexpr std::size_t output_queue_max =
    12 * 1024 * 1024;  // over credit_bytes_max; a peer that does not read is dropped
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
inline constexpr auto clock_ahead_kept_max =
    48h;  // a store further ahead of the clock at a start had a wrong one
inline constexpr auto late_flag_window = 72h;

// Loads
inline constexpr std::uint32_t load_records_max = 2'000'000;
inline constexpr std::size_t load_bytes_max = 256 * 1024 * 1024;    // staged, per load
inline constexpr std::size_t loads_bytes_max = 1024 * 1024 * 1024;  // of all open loads together
inline constexpr std::uint32_t load_part_records_max = 1000;
inline constexpr auto load_open_max = 1h;
inline constexpr std::size_t markers_per_message_max = 500;
inline constexpr std::size_t load_results_max = 1000;  // rejected records reported one by one

// Store
inline constexpr std::size_t batch_records_max = 256;  // a load is applied whole, however large
inline constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
inline constexpr double free_disk_min = 0.10;  // below it publishes are refused
inline constexpr std::uint64_t reserve_bytes = 64ull * 1024 * 1024;
inline constexpr std::size_t leaf_size_max = 65'535;  // C2SP tlog-tiles entry
inline constexpr int wal_frames_tidied = 256;         // pages of 16 KiB: the least worth moving when idle
inline constexpr std::size_t wal_rows_max = 2 * 1024 * 1024;  // bytes of rows, if idleness never comes
inline constexpr int wal_frames_max =
    4096;  // likewise: many small commits write the same pages again and again
inline constexpr std::uint64_t wal_bytes_max =
    256ull * 1024 * 1024;  // held back by a reader that does not end: from there on publishes are refused
inline constexpr int reader_time_max_ms = 250;  // what a checkpoint that must empty the WAL waits for readers
inline constexpr int lock_wait_max_ms = 1000;   // what a store waits for a lock that another process holds
inline constexpr std::uint64_t rewraps_at_once =
    256;  // entries looked at while idle, when the master key changes
inline constexpr std::size_t check_faults_max = 100;  // named one by one by the full check

// Log
inline constexpr auto checkpoint_interval = 1s;
inline constexpr std::uint64_t checkpoint_leaves = 1000;  // sooner than that, once so many are not signed
inline constexpr auto checkpoint_spacing = 100ms;         // but not before: signing waits for the disk
inline constexpr std::size_t note_size_max = 64 * 1024;
inline constexpr std::size_t note_signatures_max = 100;                // as Go's note package
inline constexpr std::uint64_t note_time_max_s = 1'000'000'000'000;    // of a cosignature; fits an Instant
inline constexpr std::size_t leaf_text_size_max = spiffe_id_size_max;  // each text of a leaf
inline constexpr std::size_t leaf_subjects_max = 1024;
inline constexpr std::size_t leaf_legal_basis_max = 16;
inline constexpr std::size_t proof_hashes_max = 63;             // of a tree no larger than 2^63
inline constexpr std::size_t proof_file_size_max = 128 * 1024;  // .tlog-proof
inline constexpr std::size_t policy_size_max = 64 * 1024;
inline constexpr std::size_t policy_names_max = 128;  // logs, witnesses and groups of a trust policy

// Router
inline constexpr std::size_t pending_bytes_max = 64 * 1024 * 1024;  // decided, not yet committed
inline constexpr std::size_t recent_ids_max = 200'000;              // message ids remembered in memory
inline constexpr std::size_t signatures_remembered_max = 64;        // batch roots verified, per session
inline constexpr std::size_t envelope_cache_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t backlog_per_turn_max = 256;  // stored deliveries read before others are served
inline constexpr std::uint32_t delivery_attempts_max =
    8;  // of one item nothing after which was stored either
inline constexpr std::size_t attaches_remembered_max = 16;  // per consumer and topic, to count attempts
inline constexpr std::size_t consumers_remembered_max = 50'000;
inline constexpr std::size_t gates_max = 64;
inline constexpr std::size_t sessions_max = 100'000;
inline constexpr std::size_t sessions_per_agency_max = 5'000;  // one stolen certificate cannot take them all
inline constexpr auto head_shown_for =
    15s;  // to every witness, so that a quorum can come about: three heartbeats
inline constexpr auto signer_wait_max = 5s;  // for its answer, which waits for its disk
inline constexpr auto quorum_late_after = 60s;
inline constexpr std::size_t heads_remembered_max = 64;  // signed heads that may still be cosigned
inline constexpr std::size_t proofs_kept_max =
    256;  // between two heads, for the sessions that saw the same one
inline constexpr std::size_t status_events_max = 500;  // of one message's story
inline constexpr std::size_t answer_bytes_max = 512 * 1024;
inline constexpr std::uint16_t answer_items_max = 1024;
inline constexpr std::uint32_t frames_granted = 4096;  // a gate may send this many frames of a session ahead
inline constexpr int fabric_batches_max =
    10'000;  // to or from one gate, not yet taken; the windows stay far below
inline constexpr int fabric_batches_per_turn = 64;
inline constexpr auto tick_interval = 200ms;
inline constexpr auto tidy_after_idle = 20ms;
inline constexpr auto shutdown_time_max = 20s;
inline constexpr auto acknowledgements_wait_max =
    5ms;  // for company, before they cause a commit of their own
inline constexpr auto busy_retry_after = 200ms;
inline constexpr auto storage_low_retry_after = 30s;

// Gate
inline constexpr std::size_t fabric_window_bytes =
    4 * 1024 * 1024;  // of one session, read and not yet consumed
inline constexpr std::size_t fabric_bytes_max = 256 * 1024 * 1024;  // of all sessions of one gate
inline constexpr std::size_t input_total_max =
    256 * 1024 * 1024;  // parts of messages, all sessions of one gate
inline constexpr std::size_t output_total_max = 512 * 1024 * 1024;  // of all sessions of one gate
inline constexpr auto output_stalled_max = 20s;                     // a peer that takes nothing that long
inline constexpr auto goodbye_time_max = 1s;                        // for a peer to take its Goodbye
inline constexpr std::size_t connections_waiting_max = 256;  // beyond their source's handshakes at once
inline constexpr auto key_update_interval_min = 60s;         // a peer may not make us rekey faster
inline constexpr double descriptors_used_max = 0.80;         // of RLIMIT_NOFILE; then accept waits

// Agreement
inline constexpr std::size_t agreement_size_max = 4 * 1024 * 1024;
inline constexpr std::size_t parties_max = 20'000;
inline constexpr std::size_t acts_for_max = 2000;  // for one party
inline constexpr std::size_t sharing_rules_max = 1000;
inline constexpr std::size_t retention_rules_max = 1000;
inline constexpr std::size_t rungs_max = 8;  // of one rule's ladder

// Exchange
inline constexpr std::size_t text_size_max = 64 * 1024;   // circumstances and the like
inline constexpr std::size_t question_size_max = 2000;    // what is asked, and what is answered
inline constexpr std::size_t person_name_size_max = 255;  // names, address lines, contacts
inline constexpr std::size_t aliases_max = 32;            // of one person
inline constexpr std::size_t places_max = 100;            // of one person
inline constexpr std::size_t qualifiers_max = 32;         // of one incident
inline constexpr std::size_t mailbox_gaps_max =
    4096;  // runs of unacknowledged items; beyond, acknowledge in order
inline constexpr std::size_t questions_open_max = 10;        // of one agency about one incident
inline constexpr std::size_t refusals_logged_max = 16;       // leaves one Subscribe can cause
inline constexpr std::uint32_t body_tables_max = 1'000'000;  // of one stored body, all our own making
inline constexpr auto thread_kept =
    std::chrono::hours{24 * 90};                           // what was told of an incident, for its updates
inline constexpr std::size_t notices_per_thread_max = 64;  // remembered of one child, recipient and incident
inline constexpr std::size_t closings_per_record_max = 256;  // incidents whose window ends, in one record
inline constexpr std::size_t clocks_per_tick_max =
    1000;  // obligations whose time comes, looked at in one tick
inline constexpr std::size_t dead_letters_max = 10'000;     // kept in memory; beyond, consumers go on trying
inline constexpr std::size_t erased_per_record_max = 2000;  // bodies one leaf may say it destroyed
inline constexpr std::size_t erased_by_order_max = 10'000;  // records about one subject
inline constexpr std::size_t legal_holds_max = 1000;        // standing at once
inline constexpr std::size_t expiry_rows_per_tick = 128;    // entries of the log looked at for what is over
inline constexpr auto expiry_pause = 1min;                  // between one look at the whole log and the next
inline constexpr std::size_t closings_per_tick_max = 4096;
inline constexpr std::size_t reconsidered_per_tick_max =
    500;  // retained incidents, after the register changed

}  // namespace flagpost::limits
