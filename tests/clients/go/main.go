// Reads everything public that go-binance offers of the spot market, and prints as JSON what it
// decoded: {"answers": {name: …}, "events": {stream: …}, "errors": {name: text}}.
//
// Arguments: the address of the server, and the names of the streams to open, joined by commas.
package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"time"

	binance "github.com/adshao/go-binance/v2"
)

const (
	coin     = "BTCUSDT"
	liveCoin = "SOLUSDT"
	interval = "1h"
	patience = 120 * time.Second
)

var (
	answers = map[string]any{}
	events  = map[string]any{}
	errors  = map[string]string{}
	ctx     = context.Background()
)

func note(name string, answer any, err error) {
	if err != nil {
		errors[name] = err.Error()
		return
	}
	answers[name] = answer
}

func call[T any](name string, do func(context.Context, ...binance.RequestOption) (T, error)) {
	answer, err := do(ctx)
	note(name, answer, err)
}

func readAnswers(url string) {
	client := binance.NewClient("key", "")
	client.BaseURL = url
	both := []string{coin, "eth-krw"}
	note("ping", true, client.NewPingService().Do(ctx))
	call("time", client.NewServerTimeService().Do)
	call("exchangeInfo", client.NewExchangeInfoService().Do)
	call("exchangeInfo of one", client.NewExchangeInfoService().Symbol(coin).Do)
	call("exchangeInfo of some", client.NewExchangeInfoService().Symbols(both...).Do)
	call("depth", client.NewDepthService().Symbol(coin).Limit(100).Do)
	call("aggTrades", client.NewAggTradesService().Symbol(coin).Limit(9).Do)
	call("trades", client.NewRecentTradesService().Symbol(coin).Limit(9).Do)
	call("historicalTrades", client.NewHistoricalTradesService().Symbol(coin).Limit(9).Do)
	call("klines", client.NewKlinesService().Symbol(coin).Interval(interval).Do)
	call("klines of a zone",
		client.NewKlinesService().Symbol(coin).Interval("1d").TimeZone("5:30").Do)
	call("uiKlines", client.NewUiKlinesService().Symbol(coin).Interval(interval).Do)
	call("ticker/24hr of one", client.NewListPriceChangeStatsService().Symbol(coin).Do)
	call("ticker/24hr of some", client.NewListPriceChangeStatsService().Symbols(both).Do)
	call("ticker/24hr", client.NewListPriceChangeStatsService().Do)
	call("ticker/price of one", client.NewListPricesService().Symbol(coin).Do)
	call("ticker/price of some", client.NewListPricesService().Symbols(both).Do)
	call("ticker/price", client.NewListPricesService().Do)
	call("ticker/bookTicker of one", client.NewListBookTickersService().Symbol(coin).Do)
	call("ticker/bookTicker", client.NewListBookTickersService().Do)
	call("ticker/tradingDay of one", client.NewTradingDayTickerService().Symbol(coin).Do)
	call("ticker/tradingDay of some", client.NewTradingDayTickerService().Symbols(both).Do)
	call("ticker of one", client.NewListSymbolTickerService().Symbol(coin).WindowSize("7d").Do)
	call("ticker of some", client.NewListSymbolTickerService().Symbols(both).Do)
	call("avgPrice", client.NewAveragePriceService().Symbol(coin).Do)
	_, err := client.NewKlinesService().Symbol("NOPE").Interval(interval).Do(ctx)
	answers["error"] = err
}

// Each stream, by a name of ours, with a function that opens it.
func streams(on func(any), broken func(error)) map[string]func() error {
	one, some := liveCoin, []string{liveCoin}
	serve := func(_, _ chan struct{}, err error) error { return err }
	return map[string]func() error{
		"trade": func() error {
			return serve(binance.WsTradeServe(
				one, func(it *binance.WsTradeEvent) { on(it) }, broken))
		},
		"combined trade": func() error {
			return serve(binance.WsCombinedTradeServe(
				some, func(it *binance.WsCombinedTradeEvent) { on(it) }, broken))
		},
		"aggTrade": func() error {
			return serve(binance.WsAggTradeServe(
				one, func(it *binance.WsAggTradeEvent) { on(it) }, broken))
		},
		"combined aggTrade": func() error {
			return serve(binance.WsCombinedAggTradeServe(
				some, func(it *binance.WsAggTradeEvent) { on(it) }, broken))
		},
		"kline": func() error {
			return serve(binance.WsKlineServe(
				one, interval, func(it *binance.WsKlineEvent) { on(it) }, broken))
		},
		"combined kline": func() error {
			return serve(binance.WsCombinedKlineServe(map[string]string{liveCoin: "1m"},
				func(it *binance.WsKlineEvent) { on(it) }, broken))
		},
		"combined kline of intervals": func() error {
			return serve(binance.WsCombinedKlineServeMultiInterval(
				map[string][]string{liveCoin: {"1m", "1M"}},
				func(it *binance.WsKlineEvent) { on(it) }, broken))
		},
		"ticker": func() error {
			return serve(binance.WsMarketStatServe(
				one, func(it *binance.WsMarketStatEvent) { on(it) }, broken))
		},
		"combined ticker": func() error {
			return serve(binance.WsCombinedMarketStatServe(
				some, func(it *binance.WsMarketStatEvent) { on(it) }, broken))
		},
		"bookTicker": func() error {
			return serve(binance.WsBookTickerServe(
				one, func(it *binance.WsBookTickerEvent) { on(it) }, broken))
		},
		"combined bookTicker": func() error {
			return serve(binance.WsCombinedBookTickerServe(
				some, func(it *binance.WsBookTickerEvent) { on(it) }, broken))
		},
		"!miniTicker@arr": func() error {
			return serve(binance.WsAllMiniMarketsStatServe(
				func(it binance.WsAllMiniMarketsStatEvent) { on(it) }, broken))
		},
		"!ticker@arr": func() error {
			return serve(binance.WsAllMarketsStatServe(
				func(it binance.WsAllMarketsStatEvent) { on(it) }, broken))
		},
	}
}

// Takes the first event of each stream.
func readEvents(url string, names []string) {
	binance.BaseWsMainURL = url + "/ws"
	binance.BaseCombinedMainURL = url + "/stream?streams="
	var lock sync.Mutex
	isBroken := false
	for _, name := range names {
		on := func(event any) {
			lock.Lock()
			defer lock.Unlock()
			if _, isKnown := events[name]; !isKnown {
				events[name] = event
			}
		}
		broken := func(err error) {
			lock.Lock()
			defer lock.Unlock()
			errors[name], isBroken = err.Error(), true
		}
		if err := streams(on, broken)[name](); err != nil {
			broken(err)
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		lock.Lock()
		if len(events) == len(names) || isBroken || time.Now().After(deadline) {
			return // with the lock: nothing more is noted
		}
		lock.Unlock()
	}
}

func main() {
	url, names := os.Args[1], strings.Split(os.Args[2], ",")
	readAnswers(url)
	readEvents(strings.Replace(url, "http", "ws", 1), names)
	content := map[string]any{"answers": answers, "events": events, "errors": errors}
	if err := json.NewEncoder(os.Stdout).Encode(content); err != nil {
		panic(err)
	}
}
