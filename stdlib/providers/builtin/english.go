package builtin

import (
	"strings"
	"sync"
)

// What this file knows is about English in general: function words, irregular forms,
// and words near in meaning as a pocket thesaurus lists them. It is made for no task
// and no data set.

// minor are words that carry little of a text's meaning.
var minor = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`a an the and or but nor so yet if then than as of at by for from in into on onto to
		up with without within about above after again against along among around before behind below beneath beside between beyond
		down during off out over through toward towards under until upon via
		i me my mine myself we us our ours you your yours he him his she her hers it its they them their theirs
		this that these those here there who whom whose which what when where why how
		am is are was were be been being do does did done doing have has had having can could may might must shall should will would
		not no yes any some all both each every either neither few more most other another such only own same too very just also even
		still ever never now please thanks thank hi hello hey ok okay s t d ll m re ve
		there's get got let like know want need make thing something anything one`) {
		set[w], set[strip(w)] = true, true
	}
	return set
})

// irregular gives the stem of forms that endings do not explain.
var irregular = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(irregularForms, "\n") {
		head, forms, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		for f := range strings.FieldsSeq(forms) {
			m[f] = strip(head)
		}
	}
	return m
})

const irregularForms = `
	arise: arose arisen
	begin: began begun beginning
	belief: believe believes believed believing beliefs
	break: broke broken
	bring: brought
	build: built
	buy: bought
	catch: caught
	cheque: check checks
	child: children kid kids
	choose: chose chosen choice choices choosing
	come: came comes coming
	cost: costs costly costing
	deal: dealt
	die: dead death died dying deaths
	draw: drew drawn
	drink: drank drunk
	drive: drove driven driver driving
	eat: ate eaten
	enter: entry entrance entries entered
	explain: explanation explanations
	fall: fell fallen
	fail: failure failures
	fast: faster fastest
	feel: felt
	fight: fought
	find: found finding
	fly: flew flown flight flights
	foot: feet
	forget: forgot forgotten
	give: gave given giving gift gifts
	go: went gone goes going
	good: better best well
	bad: worse worst badly
	grow: grew grown growth
	hear: heard
	hide: hid hidden
	hold: held
	keep: kept
	know: knew known knowledge
	large: larger largest
	lead: led
	leave: left leaving
	lend: lent
	lose: lost loss losses losing loses
	man: men
	mean: meant meaning
	meet: met meeting
	money: monies
	pay: paid pays paying payment payments payer
	person: people persons
	prove: proof proofs proved proven
	read: reading
	receive: receipt receipts received receiving receives
	ring: rang rung
	rise: rose risen
	run: ran running
	say: said says
	see: saw seen
	sell: sold sale sales selling
	send: sent sends sending sender
	serve: service services served
	shake: shook shaken
	sing: sang sung song songs
	sit: sat
	small: smaller smallest
	speak: spoke spoken speech
	spend: spent
	stand: stood
	steal: stole stolen theft thefts stealing thief
	succeed: success successful successfully successes
	swim: swam swum
	take: took taken taking
	teach: taught teacher
	tell: told
	think: thought thoughts
	throw: threw thrown
	tooth: teeth
	true: truth truly
	understand: understood understanding
	wake: woke woken
	wear: wore worn
	win: won winner winning
	woman: women
	write: wrote written writing writer
	old: older oldest elder
	young: younger youngest youth
	near: nearer nearest nearby
	automatic: automatically auto automate automated
	apply: application applications applied applying
	describe: description descriptions
	decide: decision decisions
	refuse: refusal refusals
	happy: happier happiest happiness happily
	angry: anger angrily
	hungry: hunger
	safe: safety safely
	strong: strength stronger
	long: length longer longest
	high: height higher highest
	wide: width wider
	deep: depth deeper
	hot: heat heated heating
	analyse: analysis analyze analyses analyzing
	organise: organize organized organizing
	color: colour colours colors
	center: centre centres centers
	cancel: cancelled cancelling cancellation canceled canceling cancels
	travel: travelled travelling traveller
	licence: license licenses
	program: programme programmes programs
`

// related groups words and two-word phrases (a_b) near in meaning. A word may stand in
// several groups.
const related = `
	begin start commence initiate launch open
	end finish stop complete conclude close terminate
	stop cancel abort undo revoke reverse revert withdraw void call_off
	activate enable switch_on turn_on start set_up unlock
	deactivate disable switch_off turn_off block freeze lock suspend
	accept agree approve allow permit take
	refuse reject decline deny disallow forbid turn_down
	allow permit enable let authorise authorize permission
	arrive come reach land appear turn_up show_up
	deliver send ship post mail dispatch courier
	delivery post mail shipment shipping parcel package
	track trace follow locate find where
	estimate predict forecast guess expect approximate how_long when
	time date when how_long long duration day week hour soon
	wait expect delay pending late
	fast quick rapid speedy swift soon urgent express
	slow late delay long sluggish
	urgent emergency critical immediately asap hurry important
	age old year young child birth adult minor teenager
	limit maximum minimum max min cap restrict threshold how_many
	amount sum total quantity number how_much how_many
	price cost fee charge rate how_much expense expensive
	fee charge commission cost surcharge
	pay purchase buy spend checkout
	buy purchase order acquire shop
	sell trade market vend
	shop store merchant retailer seller business
	money cash fund currency coin dollar euro pound
	refund reimburse money_back return repay give_back
	transfer send wire remit move transaction
	bank account branch
	account profile login user
	balance amount account total
	recipient payee beneficiary receiver
	deposit pay_in
	withdraw take_out
	atm cash_machine cashpoint
	top_up refill recharge
	exchange convert swap trade change rate
	update change modify edit refresh renew
	renew extend expire replace
	expire end run_out lapse
	replace new substitute exchange swap another
	link connect join attach add pair associate bind
	unlink disconnect detach remove separate
	add insert include append attach put
	remove delete erase clear drop
	create make build produce generate
	lose missing misplace mislay
	steal rob fraud thief scam
	fraud scam suspicious unauthorised unauthorized fake phishing
	fail error problem issue broken wrong not_work fault bug crash
	fix repair solve resolve correct mend
	help support assist aid advice guide
	support accept work_with compatible
	question ask query inquiry enquiry
	complain complaint dissatisfied unhappy
	tell inform notify advise alert
	verify confirm check validate prove authenticate
	identity id passport document licence
	password passcode pin code secret
	phone mobile telephone call
	email mail inbox message
	address location place where street home
	country abroad nation foreign overseas
	travel trip journey abroad holiday vacation tour
	hotel room accommodation stay
	flight plane airport airline
	car vehicle auto automobile drive
	train railway rail station
	food meal eat restaurant dinner lunch
	drink beverage water coffee tea
	house home flat apartment property
	job work employment career occupation position
	employee staff worker colleague
	company firm business corporation enterprise
	school university education student teacher class
	science research study scientist experiment
	technology computer software internet digital
	computer laptop pc device machine
	sport game match team player football tennis
	politics government election vote president minister parliament
	economy business market finance trade stock
	health medicine doctor hospital illness patient
	sick ill unwell disease
	weather rain snow sun temperature forecast
	music song band concert album
	film movie cinema actor
	book novel read author
	law legal court judge lawyer
	war army soldier military battle
	crime police murder arrest
	positive good great excellent love wonderful amazing happy nice best pleased enjoy fantastic perfect glad delighted recommend
	negative bad terrible awful hate poor horrible worst disappointing disappointed unhappy waste boring
	happy glad pleased delighted joy cheerful satisfied love great wonderful thank
	sad unhappy sorrow miserable upset cry
	angry furious annoyed mad outraged unacceptable ridiculous rude fed_up irritated
	afraid fear scared frightened worried anxious
	surprise amazed astonished unexpected shock
	neutral ordinary average okay normal
	spam win prize free offer click winner
	formal official polite
	casual informal friendly
	big large huge great enormous
	small little tiny minor
	high tall top
	low short little
	new fresh recent modern
	same equal identical
	different other distinct
	easy simple
	hard difficult tough
	show display present appear visible
	hide conceal
	look see view watch
	register sign_up enrol subscribe join
	leave quit unsubscribe close exit
	order purchase request
	request ask demand apply
	get receive obtain acquire
	use utilise utilize usage
	need require necessary must
	plan schedule arrange appointment book
	reserve book reservation
	reason why cause because
	method way how process procedure step
	person who someone human
	place where location
	size big small length fit
	colour red green blue
	quality standard grade
	feature function option capability
	setting preference configure option
	contact reach phone call email
	insurance insure policy coverage
	loan borrow lend credit mortgage
	invoice bill statement
	tax vat duty
	discount coupon voucher sale promotion
	subscription plan membership
	warranty guarantee
	safe secure protect
	danger risk hazard unsafe
	gift present donate
	animal dog cat pet
	family mother father parent child
`

// thesaurus says which groups a stem or a phrase is in.
type thesaurus struct {
	words   map[string][]int
	phrases map[[2]string][]int
}

var english = sync.OnceValue(func() thesaurus {
	t := thesaurus{map[string][]int{}, map[[2]string][]int{}}
	group := 0
	for line := range strings.SplitSeq(related, "\n") {
		for w := range strings.FieldsSeq(line) {
			if a, b, ok := strings.Cut(w, "_"); ok {
				key := [2]string{stem(a), stem(b)}
				t.phrases[key] = append(t.phrases[key], group)
			} else {
				t.words[stem(w)] = append(t.words[stem(w)], group)
			}
		}
		group++
	}
	return t
})
