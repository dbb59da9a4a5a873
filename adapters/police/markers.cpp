#include "adapters/police/markers.h"

#include <date/date.h>
#include <spdlog/spdlog.h>

#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "adapters/desk/inbox.h"
#include "adapters/desk/rejects.h"
#include "adapters/desk/words.h"
#include "broker/crypto/digest.h"

namespace flagpost::police {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Names of facts. Of a marker that was removed only `as_of` stays, by which an older message is known.
const std::string marker_fact = "marker/";        // by id in hex
const std::string list_fact = "marker-list/";     // by authority
const std::string told_fact = "marker-told/";     // by id: digest of the rows that the files have
const std::string change_fact = "marker-change";  // number of the newest file of changes

constexpr std::size_t taken_at_once = 50;  // messages, of up to 500 markers
constexpr std::chrono::hours write_again{
    1};  // so that ages stay true, and what begins or ends today is noticed
constexpr std::chrono::minutes try_again{1};  // after a failure
constexpr std::chrono::hours changes_kept{24 * 7};
constexpr unsigned readable_by_group = 0640;  // the gazetteer's importer has an account of its own

constexpr auto columns =
    "marker,authority,kind,uprn,line_1,line_2,town,postcode,start_date,end_date,contact,out_of_hours_contact,"
    "list_as_of";

json place_of(const schemas::DatedPlaceValue& dated) {
    const auto& place = *dated.place;
    return {
        {"uprn",     place.uprn    },
        {"line_1",   place.line_1  },
        {"line_2",   place.line_2  },
        {"town",     place.town    },
        {"postcode", place.postcode},
        {"from",     dated.from    },
        {"to",       dated.to      }
    };
}

json marker_of(const schemas::MarkerValue& marker, const std::string& la, std::int64_t as_of_us) {
    json all{
        {"as_of",   as_of_us      },
        {"removed", marker.removed}
    };
    if (marker.removed) return all;
    all["la"] = la;
    all["kind"] = schemas::EnumNameFlagKind(marker.kind);
    all["start"] = marker.start_date;
    all["end"] = marker.end_date;
    all["contact"] = marker.contact;
    all["out_of_hours"] = marker.out_of_hours_contact;
    all["places"] = json::array();
    for (const auto& place : marker.places)
        if (place && place->place) all["places"].push_back(place_of(*place));
    return all;
}

std::string day_of(Instant now) { return date::format("%F", date::floor<date::days>(now)); }

bool is_on(const std::string& from, const std::string& to, const std::string& today) {
    return (from.empty() || from <= today) && (to.empty() || to > today);
}

std::string hours_of(Instant::duration age) {
    const auto minutes =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::minutes>(age).count());
    std::ostringstream text;
    text << std::fixed << std::setprecision(1) << static_cast<double>(minutes) / 60.0;
    return text.str();
}

/// The marker's rows today, each up to and without the list's age: one for each address it has now. An address that the child
/// has left is another family's.
std::vector<std::string> rows_of(const std::string& id, const json& marker, const std::string& today) {
    std::vector<std::string> rows;
    if (marker.value("removed", false) || !is_on(marker.value("start", ""), marker.value("end", ""), today))
        return rows;
    for (const auto& place : marker.value("places", json::array())) {
        if (!is_on(place.value("from", ""), place.value("to", ""), today)) continue;
        const auto uprn = place.value("uprn", std::uint64_t{0});
        std::string row = id;
        for (const auto& cell :
             {marker.value("la", ""), marker.value("kind", ""), uprn == 0 ? "" : std::to_string(uprn),
              place.value("line_1", ""), place.value("line_2", ""), place.value("town", ""),
              place.value("postcode", ""), marker.value("start", ""), marker.value("end", ""),
              marker.value("contact", ""), marker.value("out_of_hours", "")})
            row += "," + (cell.empty() ? "" : desk::csv_cell(desk::printable(cell)));
        rows.push_back(std::move(row));
    }
    return rows;
}

/// An empty row of the marker's: all it had are to be taken off.
std::string removed_row(const std::string& id) { return "remove," + id + std::string(12, ','); }

std::string changes_name(std::uint64_t number) {
    std::ostringstream name;
    name << "changes-" << std::setw(8) << std::setfill('0') << number << ".csv";
    return name.str();
}

std::string digest_of(const std::vector<std::string>& rows) {
    std::string all;
    for (const auto& row : rows) all += row + "\n";
    return to_hex(crypto::sha256(view(all)));
}

void remove_old_changes(const fs::path& folder, std::uint64_t newest) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with("changes-") || !name.ends_with(".csv")) continue;
        std::error_code gone;  // the importer may have taken it meanwhile
        const auto age = fs::file_time_type::clock::now() - fs::last_write_time(entry.path(), gone);
        if (!gone && age > changes_kept && name != changes_name(newest)) fs::remove(entry.path(), gone);
    }
}

}  // namespace

bool Markers::take() {
    bool any = false;
    for (;;) {
        const auto messages = box_.unrecorded(schemas::Kind::markers, taken_at_once);
        if (messages.empty()) return any;
        any = true;
        box_.at_once([&] {
            for (const auto& item : messages) {
                const auto table = wire::read_table<schemas::Markers>(item.payload, "payload");
                if (!table) {
                    spdlog::error("{}#{}: markers that cannot be read: {}", item.topic, item.number,
                                  table.error().where);
                    box_.consumed(item, "flagpost-police", "unreadable");
                    continue;
                }
                schemas::MarkersValue message;
                (*table)->UnPackTo(&message);
                for (const auto& marker : message.changes) {
                    const auto name = marker_fact + to_hex(marker->marker);
                    const auto before = box_.fact(name);
                    const json held = before ? json::parse(*before) : json::object();
                    if (held.value("as_of", std::int64_t{0}) > message.as_of_us) continue;
                    box_.set_fact(name, marker_of(*marker, message.la, message.as_of_us).dump());
                }
                const auto list = box_.fact(list_fact + message.la);
                const json known = list ? json::parse(*list) : json::object();
                if (known.value("as_of", std::int64_t{0}) <= message.as_of_us)
                    box_.set_fact(list_fact + message.la,
                                  json{
                                      {"as_of",    message.as_of_us    },
                                      {"received", to_us(item.received)}
                    }
                                      .dump());
                box_.consumed(item, "flagpost-police", "taken");
            }
        });
    }
}

std::vector<MarkerList> Markers::lists(Instant now) const {
    const auto today = day_of(now);
    std::map<std::string, std::size_t> counts;
    for (const auto& [id, text] : box_.facts_under(marker_fact)) {
        const json marker = json::parse(text);
        if (!rows_of(id, marker, today).empty()) ++counts[marker.value("la", "")];
    }
    std::vector<MarkerList> lists;
    for (const auto& [la, text] : box_.facts_under(list_fact)) {
        const json list = json::parse(text);
        lists.push_back({la, from_us(list.at("as_of")), from_us(list.at("received")), counts[la]});
    }
    return lists;
}

Markers::Written Markers::write(const fs::path& folder, Instant now) {
    // In one transaction: of a daemon and a command only one writes, and what is noted as told was written before.
    Written written{};
    box_.at_once([&] { written = write_alone(folder, now); });
    return written;
}

Markers::Written Markers::write_alone(const fs::path& folder, Instant now) {
    const auto today = day_of(now);
    const auto lists = this->lists(now);
    std::map<std::string, std::pair<std::string, std::string>> ages;  // by authority: as of, hours
    std::string overview = "authority,list_as_of,list_age_hours,received,markers,written_at\n";
    for (const auto& list : lists) {
        ages[list.authority] = {desk::in_iso(list.as_of), hours_of(now - list.as_of)};
        overview += list.authority + "," + desk::in_iso(list.as_of) + "," + hours_of(now - list.as_of) + "," +
                    desk::in_iso(list.received) + "," + std::to_string(list.markers) + "," +
                    desk::in_iso(now) + "\n";
    }

    auto told = box_.facts_under(told_fact);
    const auto newest = box_.fact(change_fact);
    Written written{0, 0, 0, 0, newest ? std::stoull(*newest) : 0};
    std::string full = std::string{columns} + ",list_age_hours\n";
    std::string changes = std::string{"action,"} + columns + "\n";
    std::map<std::string, std::string> tell;  // digests that are new
    for (const auto& [id, text] : box_.facts_under(marker_fact)) {
        const json marker = json::parse(text);
        const auto rows = rows_of(id, marker, today);
        if (rows.empty()) continue;
        const auto& [as_of, hours] = ages[marker.value("la", "")];
        const auto digest = digest_of(rows);
        const auto before = told.find(id);
        const bool changed = before == told.end() || before->second != digest;
        if (before != told.end()) told.erase(before);
        ++written.markers;
        written.rows += rows.size();
        for (const auto& row : rows) {
            full += row + "," + as_of + "," + hours + "\n";
            if (changed) changes += "set," + row + "," + as_of + "\n";
        }
        if (!changed) continue;
        tell[id] = digest;
        ++written.set;
    }
    for (const auto& [id, digest] : told)
        changes += removed_row(id) + "\n";  // those that have no rows any more
    written.removed = told.size();

    if (written.set + written.removed > 0) {
        desk::write_whole(folder / changes_name(++written.change), changes, readable_by_group);
        for (const auto& [id, digest] : tell) box_.set_fact(told_fact + id, digest);
        for (const auto& [id, digest] : told) box_.forget_fact(told_fact + id);
        box_.set_fact(change_fact, std::to_string(written.change));
    }
    desk::write_whole(folder / "markers.csv", full, readable_by_group);
    desk::write_whole(folder / "lists.csv", overview, readable_by_group);
    remove_old_changes(folder, written.change);
    return written;
}

fs::path markers_folder(const fs::path& config_file, const client::Config& config) {
    const auto found = config.extra.find("markers");
    return found == config.extra.end() || found->second.empty() ? fs::path{}
                                                                : config_file.parent_path() / found->second;
}

void MarkerKeeper::turn(std::uint64_t deliveries, Instant now) {
    if (seen_ != deliveries) {
        seen_ = deliveries;
        due_ |= markers_.take();
    }
    // Both ways: a clock that was set back must not keep the files from being written.
    const auto within = [now](const std::optional<Instant>& last, Instant::duration time) {
        return last && now >= *last && now - *last < time;
    };
    if (folder_.empty() || within(failed_, try_again)) return;
    if (!due_ && within(written_, write_again)) return;
    due_ = false;
    try {
        const auto written = markers_.write(folder_, now);
        if (written.set + written.removed > 0)
            spdlog::info("markers: {} stand; {} set, {} removed in {}", written.markers, written.set,
                         written.removed, changes_name(written.change));
        written_ = now;
        failed_.reset();
    } catch (const std::exception& error) {
        spdlog::error("markers were not written: {}", error.what());
        due_ = true;
        failed_ = now;
    }
}

}  // namespace flagpost::police
