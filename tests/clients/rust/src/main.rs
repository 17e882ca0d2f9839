//! Reads everything public that binance-rs offers of the spot market, and prints as JSON what it
//! decoded: {"answers": {name: …}, "events": {stream: …}, "errors": {name: text}}.
//!
//! Arguments: the address of the server, and the streams to open, joined by commas.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

use binance::api::Binance;
use binance::config::Config;
use binance::errors::Result;
use binance::general::General;
use binance::market::Market;
use binance::model::KlineSummaries;
use binance::websockets::{WebSockets, WebsocketEvent};
use serde::Serialize;
use serde_json::{json, to_value, Map, Value};

const COIN: &str = "BTCUSDT";
const BOTH: [&str; 2] = [COIN, "eth-krw"];
const INTERVAL: &str = "1h";

#[derive(Default)]
struct Notes {
    answers: Map<String, Value>,
    errors: Map<String, Value>,
}

impl Notes {
    fn add<T: Serialize>(&mut self, name: &str, answer: Result<T>) {
        match answer {
            Ok(it) => self.answers.insert(name.into(), json!(it)),
            Err(error) => self.errors.insert(name.into(), json!(format!("{error:?}"))),
        };
    }
}

fn rows(answer: Result<KlineSummaries>) -> Result<Value> {
    let KlineSummaries::AllKlineSummaries(rows) = answer?;
    Ok(to_value(rows)?)
}

fn read_answers(config: &Config) -> Notes {
    let general: General = Binance::new_with_config(None, None, config);
    let market: Market = Binance::new_with_config(Some("key".into()), None, config);
    let both = &BOTH[..];
    let mut notes = Notes::default();
    notes.add("ping", general.ping());
    notes.add("time", general.get_server_time().map(|it| it.server_time));
    notes.add("exchangeInfo", general.exchange_info());
    notes.add(
        "exchangeInfo of one",
        general.exchange_info_with_params(Some(&[COIN]), None, None),
    );
    notes.add(
        "exchangeInfo of some",
        general.exchange_info_with_params(Some(both), None, None),
    );
    notes.add("symbol", general.get_symbol_info(COIN));
    notes.add("depth", market.get_depth(COIN));
    notes.add("depth of some", market.get_custom_depth(COIN, 5));
    notes.add(
        "aggTrades",
        market.get_agg_trades(COIN, None, None, None, 9),
    );
    notes.add("trades", market.get_trades(COIN, 9));
    notes.add(
        "historicalTrades",
        market.get_historical_trades(COIN, None, 9),
    );
    notes.add(
        "klines",
        rows(market.get_klines(COIN, INTERVAL, None, None, None)),
    );
    let zone = Some("5:30".to_string());
    notes.add(
        "uiKlines",
        rows(market.get_ui_klines(COIN, INTERVAL, None, None, None, zone)),
    );
    notes.add("ticker/24hr of one", market.get_24h_price_stats(COIN));
    notes.add(
        "ticker/24hr of some",
        market.get_24h_price_stats_for_symbols(both),
    );
    notes.add("ticker/24hr", market.get_all_24h_price_stats());
    notes.add("ticker/price of one", market.get_price(COIN));
    notes.add("ticker/price of some", market.get_prices_for_symbols(both));
    notes.add("ticker/price", market.get_all_prices());
    notes.add("ticker/bookTicker of one", market.get_book_ticker(COIN));
    notes.add("ticker/bookTicker", market.get_all_book_tickers());
    notes.add(
        "ticker/tradingDay of one",
        market.get_trading_day_ticker(COIN, None, false),
    );
    notes.add(
        "ticker/tradingDay of some",
        market.get_trading_day_tickers(both, None, true),
    );
    let week = || Some("7d".to_string());
    notes.add(
        "ticker of one",
        market.get_rolling_window_ticker(COIN, week(), true),
    );
    notes.add(
        "ticker of some",
        market.get_rolling_window_tickers(both, week(), false),
    );
    notes.add("avgPrice", market.get_average_price(COIN));
    if let Err(error) = market.get_klines("NOPE", INTERVAL, None, None, None) {
        notes
            .answers
            .insert("error".into(), json!(format!("{error:?}")));
    }
    notes
}

/// Waits for the first event of a stream that is decoded; what is not, the library passes over.
fn first_event(config: &Config, name: &str) -> Result<Value> {
    let is_waiting = AtomicBool::new(true);
    let mut event = Value::Null;
    let mut socket = WebSockets::new(|it: WebsocketEvent| {
        event = to_value(it)?;
        is_waiting.store(false, Ordering::Relaxed);
        Ok(())
    });
    socket.connect_with_config(name, config)?;
    socket.event_loop(&is_waiting)?;
    drop(socket);
    Ok(event)
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let (url, names) = (&arguments[1], arguments[2].split(','));
    let config = Config::default()
        .set_rest_api_endpoint(url.as_str())
        .set_ws_endpoint(url.replace("http", "ws"));
    let Notes {
        answers,
        mut errors,
    } = read_answers(&config);
    let mut events = Map::new();
    for name in names {
        match first_event(&config, name) {
            Ok(event) => events.insert(name.into(), event),
            Err(error) => errors.insert(name.into(), json!(format!("{error:?}"))),
        };
    }
    println!(
        "{}",
        json!({"answers": answers, "events": events, "errors": errors})
    );
}
