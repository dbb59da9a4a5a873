/// An agency's pages over a real box, with a thread in place of the broker's session and a proxy that signs people in.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/people.h"
#include "adapters/web/site.h"
#include "adapters/web/staff.h"
#include "broker/crypto/keys.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

namespace flagpost::test {

inline web::Person person(const std::string& name, const std::string& called, const std::string& role,
                          const std::set<std::string>& teams) {
    web::Person person;
    person.name = name;
    person.called = called;
    person.role = role;
    person.teams = teams;
    return person;
}

inline bool has(const std::string& page, const std::string& words) {
    return page.find(words) != std::string::npos;
}

/// What was put into the outbox for the broker's log: "added Nia New by Ada Low: worker".
inline std::vector<std::string> told_of_staff(web::Reader& reader, const std::string& topic) {
    return reader.read([&](const client::Box& box) {
        std::vector<std::string> all;
        for (const auto& each : box.waiting(100)) {
            const auto envelope = wire::read_envelope(each.envelope).value();
            if (envelope.kind != schemas::Kind::staff_change) continue;
            if (envelope.topic != topic) throw std::logic_error{"told on another topic"};
            const auto* change =
                wire::read_table<schemas::StaffChange>(
                    BytesView{envelope.table->payload()->data(), envelope.table->payload()->size()},
                    "payload")
                    .value();
            std::string line = std::string{schemas::EnumNameStaffDoes(change->does())} + " " +
                               change->about()->str() + " by " + change->by()->str();
            for (const auto* more : {change->role(), change->cover()})
                if (more != nullptr && more->size() > 0) line += ": " + more->str();
            all.push_back(line);
        }
        return all;
    });
}

/// The pages themselves are the derived class's, which calls begin() once they are made.
class Office {
public:
    Office(AgencyId of, Instant now, const std::vector<web::Person>& staff,
           const std::set<std::string>& roles)
        : agency{std::move(of)}, clock{now} {
        for (const auto& each : staff) web::write_person(directory.path() / "people.toml", each, roles);
        people.emplace(directory.path() / "people.toml", roles);
        web::SiteSettings settings;
        settings.proxy_header = "Remote-User";
        settings.proxy_secret = secret;
        settings.force_desk = "01632 960101";
        settings.handling = "Official, sensitive.";
        site.emplace(settings, *people, clock, random);
    }

    void begin() {
        using namespace std::chrono_literals;
        owner = std::jthread{[this](const std::stop_token& stop) {
            client::Box box{file, clock, random};
            while (!stop.stop_requested()) {
                handover.turn({true, 0, {}, 0, clock.now()}, box, agency);
                ++turns;
                std::this_thread::sleep_for(1ms);
            }
        }};
        for (const auto seen = turns.load(); turns == seen;) std::this_thread::sleep_for(1ms);
    }

    template <class Table, class Value>
    void receive(const std::string& topic, schemas::Kind kind, const Value& value) {
        client::Incoming item{};
        item.topic = topic;
        item.number = ++received;
        item.kind = kind;
        item.id = random.bytes<16>();
        item.payload = wire::pack<Table>(value);
        item.received = clock.now();
        client::Box{file, clock, random}.receive({item});
    }

    web::Response send(const std::string& who, const std::string& method, const std::string& path,
                       const web::Fields& form = {}, const std::map<std::string, web::Upload>& files = {}) {
        web::Request request;
        request.method = method;
        const auto question = path.find('?');
        request.path = path.substr(0, question);
        if (question != std::string::npos) request.query = *web::parse_fields(path.substr(question + 1));
        request.form = form;
        request.files = files;
        request.headers.emplace("Remote-User", who);
        request.headers.emplace("Flagpost-Proxy-Secret", secret);
        request.headers.emplace("Sec-Fetch-Site", "same-origin");
        if (cookies.contains(who)) request.headers.emplace("Cookie", cookies[who]);
        auto response = site->handle(request);
        if (const auto set = response.header("Set-Cookie")) cookies[who] = set->substr(0, set->find(';'));
        return response;
    }
    std::string get(const std::string& who, const std::string& path) { return send(who, "GET", path).body; }
    web::Response post(const std::string& who, const std::string& path, web::Fields form,
                       const std::map<std::string, web::Upload>& files = {}) {
        const std::string page = get(who, "/cookies-of-" + who);  // any page has a token
        form.emplace("csrf", page.substr(page.find("name=\"csrf\" value=\"") + 19, 128));
        return send(who, "POST", path, form, files);
    }
    std::optional<client::Incoming> item(const std::string& reference) {
        return reader.read([&](const client::Box& box) { return box.find(reference); });
    }

    const std::string secret = "a secret of the proxy";
    AgencyId agency;
    TemporaryDirectory directory;
    std::filesystem::path file = directory.path() / "box.db";
    ManualClock clock;
    crypto::SystemRandom random;
    web::Reader reader{file, clock, random};
    web::Journal journal{directory.path() / "box.db.pages"};
    web::Handover handover;
    std::optional<web::People> people;
    std::optional<web::Site> site;
    std::map<std::string, std::string> cookies;
    std::uint64_t received = 0;
    std::atomic<std::uint64_t> turns = 0;
    std::jthread owner;
};

}  // namespace flagpost::test
