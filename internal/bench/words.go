package bench

import "strings"

// Phrase is what the read test looks for: one run in 200 begins with it.
const Phrase = "warehouse refused"

// wordTable holds words by weight: word k fills a share of about 1/(k+8) of
// the 1,024 slots, so that texts compress about as well as written English.
var wordTable = makeWordTable()

func makeWordTable() (t [1024]string) {
	list := strings.Fields(words)
	var weights []float64
	var sum float64
	for k := range list {
		w := 1 / float64(k+8)
		weights = append(weights, w)
		sum += w
	}
	var acc float64
	k := 0
	for i := range t {
		for k < len(list)-1 && acc+weights[k] < sum*float64(i+1)/1024 {
			acc += weights[k]
			k++
		}
		t[i] = list[k] + " "
	}
	return t
}

const words = `the order to of a and in is for that on was with customer it we not be by at from this has please
refund shipment delivery invoice payment account after before within days policy return item price system report
data which have will can would no yes their our your they you but or if when then because been more than all each
other some two three first last new open closed late early paid due missing damaged wrong correct total amount
currency charge fee tax discount credit card bank transfer receipt number address city country warehouse stock
carrier parcel label tracking status pending shipped delivered returned refused cancelled confirmed approved denied
request answer question note reason result check look find search read write send call use need want keep change
update create remove move copy show list count compare sort filter group average median highest lowest above below
between during since until week month year quarter today yesterday tomorrow morning evening hour minute second
version release feature bug error warning failure timeout retry limit quota budget cost token model agent tool step
run session user team owner person review decision rule exception standard premium basic plan contract renewal trial
subscription customerservice support ticket priority urgent normal low high severity impact region market segment
product category brand supplier vendor partner source document article page section table figure chart summary
detail history record field value type name code key link file folder image video message email phone chat letter
language text word sentence paragraph title author date time place event meeting project task goal plan progress
risk issue problem solution option choice preference feedback rating score quality speed size weight length width
height color material condition used repaired replaced refurbished original duplicate partial complete final draft
pending hold release block allow grant deny verify validate confirm reject accept escalate assign transfer forward
reply resolve reopen archive restore import export upload download sync merge split join match map parse render`
