#include "adapters/web/settings.h"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <exception>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "adapters/desk/inbox.h"
#include "adapters/web/staff.h"
#include "broker/crypto/private_file.h"

namespace flagpost::web {
namespace {

constexpr std::size_t person_name_size_max = 64;

std::string setting(const client::Config& config, const std::string& name,
                    const std::string& otherwise = {}) {
    const auto found = config.extra.find(name);
    return found == config.extra.end() ? otherwise : found->second;
}

std::filesystem::path path_of(const client::Config& config, const std::filesystem::path& config_file,
                              const std::string& name) {
    const std::string text = setting(config, name);
    return text.empty() ? std::filesystem::path{} : config_file.parent_path() / text;
}

std::filesystem::path people_file(const client::Config& config, const std::filesystem::path& config_file) {
    auto file = path_of(config, config_file, "people");
    if (file.empty())
        throw std::runtime_error{config_file.string() + ": people is missing: the file of who may sign in"};
    return file;
}

ListenSettings listen_of(const client::Config& config, const std::filesystem::path& config_file) {
    ListenSettings listen;
    set_address(listen, setting(config, "listen", "127.0.0.1:0"), config_file.string() + ": listen");
    listen.certificate = path_of(config, config_file, "web_certificate");
    listen.key = path_of(config, config_file, "web_key");
    if (listen.certificate.empty() != listen.key.empty())
        throw std::runtime_error{config_file.string() + ": web_certificate and web_key go together"};
    return listen;
}

/// What it is to write this person into the file as it stands.
schemas::StaffDoes deed_on(const std::filesystem::path& file, const Person& person,
                           const std::set<std::string>& roles) {
    if (!std::filesystem::exists(file)) return schemas::StaffDoes::added;
    for (const auto& earlier : People{file, roles}.everybody()) {
        if (earlier.name != person.name) continue;
        const bool is_same = earlier.called == person.called && earlier.role == person.role &&
                             earlier.teams == person.teams && !earlier.suspended;
        return is_same ? schemas::StaffDoes::renewed : schemas::StaffDoes::changed;
    }
    return schemas::StaffDoes::added;
}

}  // namespace

const std::vector<std::string>& setting_names() {
    static const std::vector<std::string> names{
        "listen", "site",       "web_certificate", "web_key",  "people",       "organisation",
        "help",   "force_desk", "handling",        "practice", "proxy_header", "proxy_secret"};
    return names;
}

void set_address(ListenSettings& listen, const std::string& text, const std::string& whose) {
    const auto colon = text.rfind(':');
    int port = -1;
    if (colon != std::string::npos) {
        const char* end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
        if (error != std::errc{} || rest != end || port > 65535) port = -1;
    }
    if (port < 0) throw std::runtime_error{whose + ": should be address:port"};
    listen.host = text.substr(0, colon);
    listen.port = port;
}

Settings read_settings(const client::Config& config, const std::filesystem::path& config_file) {
    Settings settings;
    settings.listen = listen_of(config, config_file);
    settings.people = people_file(config, config_file);
    settings.journal = config.data.string() + ".pages";
    SiteSettings& site = settings.site;
    site.origin = setting(config, "site");
    site.organisation = setting(config, "organisation", config.agency.text());
    site.help = setting(config, "help", "ask your manager");
    site.force_desk = setting(config, "force_desk", "the police force");
    site.handling = setting(config, "handling", "Official, sensitive.");
    site.practice = setting(config, "practice") == "true";
    site.proxy_header = setting(config, "proxy_header");
    const auto secret = path_of(config, config_file, "proxy_secret");
    if (site.proxy_header.empty() != secret.empty())
        throw std::runtime_error{config_file.string() + ": proxy_header and proxy_secret go together"};
    if (!secret.empty()) {
        site.proxy_secret = crypto::read_private_file(secret);
        while (site.proxy_secret.ends_with('\n')) site.proxy_secret.pop_back();
        if (site.proxy_secret.size() < 16)
            throw std::runtime_error{secret.string() + ": is shorter than 16 characters"};
    }
    return settings;
}

void serve_pages(Site& site, const ListenSettings& listen, const std::stop_token& stop, std::ostream& out,
                 const std::function<void(std::stop_token)>& meanwhile) {
    Server server{site, listen};
    const bool tls = !listen.certificate.empty();
    const std::string host = listen.host == "127.0.0.1" ? "localhost" : listen.host;
    const std::string own = (tls ? "https://" : "http://") + host + ":" + std::to_string(server.port());
    if (site.settings().origin.empty()) site.set_origin(own);
    std::stop_source over;
    const std::stop_callback as_well{stop, [&] { over.request_stop(); }};
    std::exception_ptr failure;
    std::jthread pages{[&] {
        try {
            server.run();
        } catch (...) {
            failure = std::current_exception();
        }
        over.request_stop();
    }};
    out << "pages " << own << std::endl;
    try {
        meanwhile(over.get_token());
    } catch (...) {
        server.stop();
        throw;
    }
    server.stop();
    pages.join();
    if (failure) std::rethrow_exception(failure);
}

void require_alone(const client::Config& config) {
    if (!client::BoxLock::take(config.data))
        throw std::runtime_error{config.data.string() + ": another program already serves it"};
}

void serve_beside(desk::Desk& desk, Site& site, People& people, const Settings& settings, Handover& handover,
                  const std::stop_token& stop, std::ostream& out, const desk::Desk::Turn& more) {
    StaffWatch watch{people, desk.agency()};
    site.set_keeping([&](const Person& person) {
        return keep_person(handover, people, desk.agency(),
                           {schemas::StaffDoes::renewed, person.called, person}, desk.now());
    });
    serve_pages(site, settings.listen, stop, out, [&](const std::stop_token& over) {
        desk.serve(over, [&](const client::AgentState& state) {
            handover.turn(state, desk.box(), desk.agency());
            watch.turn(desk.box(), desk.now());
            if (more) more(state);
        });
    });
}

std::string make_password(Random& random) {
    static constexpr std::string_view letters = "abcdefghjkmnpqrstuvwxyz23456789x";
    static_assert(letters.size() == 32);
    std::string password;
    for (const auto byte : random.bytes<20>()) {
        if (password.size() % 5 == 4) password += '-';
        password += letters[byte % 32];
    }
    return password;
}

Added add_person(const client::Config& config, const std::filesystem::path& config_file, Person person,
                 const std::set<std::string>& roles, const std::string& by,
                 const std::function<std::string(const Person&, const std::vector<Person>&)>& fault) {
    if (person.name.empty() || person.name.size() > person_name_size_max || person.called.empty())
        throw std::runtime_error{
            "somebody to be added needs a name to sign in with, and what they are called"};
    const auto file = people_file(config, config_file);
    if (fault && std::filesystem::exists(file))
        if (const auto why = fault(person, People{file, roles}.everybody()); !why.empty())
            throw std::runtime_error{person.called + ": " + why};
    crypto::SystemRandom random;
    Added added{make_password(random), make_code_secret(random)};
    person.password = hash_password(added.password, random);
    person.code_secret = added.code_secret;
    person.one_time = true;
    SystemClock clock;
    client::Box box{config.data, clock, random};
    change_staff(box, config.agency, {deed_on(file, person, roles), by, person}, clock.now(),
                 [&] { write_person(file, person, roles); });
    return added;
}

std::string own_account() {
    const auto id = ::geteuid();
    const auto* account = ::getpwuid(id);  // of a program's one thread, before it serves
    return account != nullptr ? account->pw_name : "account " + std::to_string(id);
}

void say_added(const std::string& name, const Added& added, bool json, std::ostream& out) {
    if (json) {
        desk::print_json(
            {
                {"name",        name             },
                {"password",    added.password   },
                {"code_secret", added.code_secret}
        },
            out);
        return;
    }
    out << "Password: " << added.password
        << "\nSecond step (enter it in an authenticator app): " << added.code_secret
        << "\notpauth://totp/Flagpost:" << name << "?secret=" << added.code_secret
        << "&issuer=Flagpost\nHand both over in person. They are not shown again. The password serves once: "
           "another is "
           "chosen when\nit is first used.\n";
}

}  // namespace flagpost::web
