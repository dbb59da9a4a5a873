#include "adapters/auditor/serve.h"

#include <condition_variable>
#include <mutex>
#include <ostream>

#include "adapters/auditor/notices_file.h"
#include "adapters/auditor/pages.h"
#include "adapters/desk/desk.h"
#include "adapters/web/settings.h"

namespace flagpost::auditor {
namespace {

client::Config config_of(const Typed& typed) {
    return client::load_config(typed.config, web::setting_names());
}

void wait_for(const std::stop_token& over) {
    std::mutex lock;
    std::condition_variable_any never;
    std::unique_lock held{lock};
    never.wait(held, over, [] { return false; });
}

}  // namespace

int run_serve(const Typed& typed, std::ostream& out) {
    const desk::StopAtSignal stop;
    const auto policy = trusted_by(typed);
    const auto terms = SealedTerms::in(typed.directory);
    std::shared_ptr<const crypto::BoxKey> key;
    if (!typed.key.empty()) {
        if (!terms)
            throw WrongUsage{typed.directory.string() + ": is a public export; bodies lie in a sealed one"};
        key = std::make_shared<const crypto::BoxKey>(crypto::BoxKey::load(typed.key));
        if (terms->key != key->public_key())
            throw WrongUsage{typed.directory.string() + ": was sealed to another key"};
    }
    auto settings = web::read_settings(config_of(typed), typed.config);
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
    web::serve_pages(site, settings.listen, stop.token(), out, wait_for);
    return 0;
}

int run_add_person(const Typed& typed, std::ostream& out) {
    web::Person person;
    person.name = typed.name;
    person.called = typed.called;
    person.role = "auditor";
    const auto added = web::add_person(config_of(typed), typed.config, std::move(person), roles(), {});
    web::say_added(typed.name, added, typed.json, out);
    return 0;
}

}  // namespace flagpost::auditor
