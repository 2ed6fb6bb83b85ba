//! What clients ask at the start: configuration, nearest data centre, small talk.

use super::{Answer, Call, Caller};
use crate::world::{About, World};
use grammers_tl_types::{Identifiable, Serializable, enums, functions as f, types};

/// The calls that need nobody to be signed in.
pub(super) fn without_login(world: &World, caller: &Caller, id: u32) -> Option<Vec<u8>> {
    match id {
        f::help::GetConfig::CONSTRUCTOR_ID => Some(config(world, caller.dc).to_bytes()),
        f::help::GetNearestDc::CONSTRUCTOR_ID => {
            let nearest = types::NearestDc { country: "XX".into(), this_dc: caller.dc, nearest_dc: caller.dc };
            Some(enums::NearestDc::Dc(nearest).to_bytes())
        }
        _ => None,
    }
}

/// `account.updateStatus`.
pub(super) fn update_status(call: &mut Call<'_>, _: &f::account::UpdateStatus) -> Answer {
    call.run(About::of("account.updateStatus"), |_, _, _| Ok(true.to_bytes()))
}

/// `help.getAppConfig`.
pub(super) fn get_app_config(call: &mut Call<'_>, _: &f::help::GetAppConfig) -> Answer {
    call.run(About::of("help.getAppConfig"), |_, _, _| {
        let config = enums::Jsonvalue::JsonObject(types::JsonObject { value: Vec::new() });
        Ok(enums::help::AppConfig::Config(types::help::AppConfig { hash: 1, config }).to_bytes())
    })
}

/// `help.getTermsOfServiceUpdate`: there is none.
pub(super) fn get_terms_update(call: &mut Call<'_>, _: &f::help::GetTermsOfServiceUpdate) -> Answer {
    call.run(About::of("help.getTermsOfServiceUpdate"), |world, _, _| {
        let expires = world.now().unix_secs().saturating_add(86_400);
        let none = types::help::TermsOfServiceUpdateEmpty { expires };
        Ok(enums::help::TermsOfServiceUpdate::Empty(none).to_bytes())
    })
}

fn config(world: &World, this_dc: i32) -> enums::Config {
    let date = world.now().unix_secs();
    let dc_options = world.login.dcs.iter().map(|(id, address)| {
        enums::DcOption::Option(types::DcOption {
            ipv6: address.is_ipv6(),
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: true,
            this_port_only: true,
            id: *id,
            ip_address: address.ip().to_string(),
            port: i32::from(address.port()),
            secret: None,
        })
    });
    enums::Config::Config(types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: false,
        blocked_mode: false,
        force_try_ipv6: false,
        date,
        expires: date.saturating_add(3_600),
        test_mode: false,
        this_dc,
        dc_options: dc_options.collect(),
        dc_txt_domain_name: "localhost".into(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 120_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".into(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1_024,
        message_length_max: 4_096,
        webfile_dc_id: 4,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    })
}
