#include "adapters/auditor/serve.h"

#include <condition_variable>
#include <mutex>
#include <ostream>

#include "adapters/auditor/notices_file.h"
#include "adapters/auditor/pages.h"
#include "adapters/desk/desk.h"
#include "adapters/web/settings.h"
#include "adapters/web/staff.h"

namespace flagpost::auditor {
namespace {

client::Config config_of(const Typed& typed) {
    return client::load_config(typed.config, web::setting_names());
}

constexpr std::chrono::seconds people_looked_at_every{5};

/// What of the people is for the broker's log waits in the box for the next command that connects. Safe for several threads.
class Staff {
public:
    Staff(const client::Config& config, web::People& people, Clock& clock, Random& random)
        : people_{people},
          agency_{config.agency},
          clock_{clock},
          box_{config.data, clock, random},
          watch_{people, config.agency} {}

    /// Somebody chose another password.
    bool keep(const web::Person& person) {
        const std::lock_guard guard{lock_};
        web::change_staff(box_, agency_, {schemas::StaffDoes::renewed, person.called, person}, clock_.now(),
                          [&] { people_.put(person); });
        return true;
    }

    void watch(const std::stop_token& over) {
        std::unique_lock guard{lock_};
        do watch_.turn(box_, clock_.now());
        while (!never_.wait_for(guard, over, people_looked_at_every, [] { return false; }) &&
               !over.stop_requested());
    }

private:
    web::People& people_;
    AgencyId agency_;
    Clock& clock_;
    std::mutex lock_;  // guards what follows
    std::condition_variable_any never_;
    client::Box box_;
    web::StaffWatch watch_;
};

}  // namespace

int run_serve(const Typed& typed, std::ostream& out) {
    const desk::StopAtSignal stop;
    const auto policy = trusted_by(typed);
    require_reason(typed);
    const auto terms = SealedTerms::in(typed.directory);
    std::shared_ptr<const crypto::BoxKey> key;
    if (!typed.key.empty()) {
        if (!terms)
            throw WrongUsage{typed.directory.string() + ": is a public export; bodies lie in a sealed one"};
        key = std::make_shared<const crypto::BoxKey>(crypto::BoxKey::load(typed.key));
        if (terms->key != key->public_key())
            throw WrongUsage{typed.directory.string() + ": was sealed to another key"};
    }
    const auto config = config_of(typed);
    auto settings = web::read_settings(config, typed.config);
    if (!typed.listen.empty()) web::set_address(settings.listen, typed.listen, "--listen");
    settings.site.force_desk = settings.site.help;  // nobody else can help with an export
    web::People people{settings.people, roles()};
    SystemClock clock;
    crypto::SystemRandom random;
    web::Site site{settings.site, people, clock, random};
    web::Journal journal{settings.journal};
    site.set_journal(journal);
    const std::string trust = typed.policy.empty() ? "--vkey " + typed.vkey.filename().string()
                                                   : "--policy " + typed.policy.filename().string();
    const Pages pages{
        site,
        clock,
        {typed.directory, policy, key, typed.reason.empty() && terms ? terms->reason : typed.reason, trust,
          charts_of(read_notices(typed.notices))}
    };
    Staff staff{config, people, clock, random};
    site.set_keeping([&](const web::Person& person) { return staff.keep(person); });
    web::serve_pages(site, settings.listen, stop.token(), out,
                     [&](const std::stop_token& over) { staff.watch(over); });
    return 0;
}

int run_add_person(const Typed& typed, std::ostream& out) {
    web::Person person;
    person.name = typed.name;
    person.called = typed.called;
    person.role = "auditor";
    const auto added = web::add_person(config_of(typed), typed.config, std::move(person), roles(),
                                       typed.by.empty() ? web::own_account() : typed.by);
    web::say_added(typed.name, added, typed.json, out);
    return 0;
}

}  // namespace flagpost::auditor
