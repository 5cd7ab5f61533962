// First letters of the pinyin of Chinese characters. Pure; any thread. Used by the text search of lists.
//
// The 3,755 characters of level 1 of GB 2312-1980 stand there in the order of their pinyin, so their letters follow from the
// code; the 3,008 of level 2 (names of people and places, chemistry) are in the table by themselves. Characters outside
// GB 2312 have no letter.
#include "base/pinyin.h"

#define FIRST 0x4e00u
#define LAST 0x9fa5u
#define WINDOW 8 // characters on either side of one that has two readings

static const char initials[LAST - FIRST + 2] =
	"yd-q---wzssxhby-gc-zqps-qbycdsc---d-ly-sg-gyqz--f-c-l-z-wdwz-ljp---n-j-tmy-zwzhfl-ppq-g-cy--mjqyxx----s--j------ml-r"
	"----------q-------l-yz-secyk-yhqwj--g-yx---jtwk-jhychm-xjtl---qb-x----rr---ysrldzjpc-zjj-rc--l-czstzfx---trq-g-dly--"
	"r-ymm---y-zp-wjj---r-f-f-q-------ky--wjffx-----zyhhy--swc-y-sclc--wz---bg-n-b-l-s-s-sj-----d--d------wdzzy-t-h-tsyyf"
	"zgntn--ywq-k-p--l--yb--jn-j----tj-ys---kz---ck-l-s-z-y--m--d---g-y--x--l-jzcqkc-n-wh-----q---------b---ceq----j---zq"
	"ly-----sf-l-pbyq-x-y--c-yll--jxf-j-p----f-a---b-------------gb-s--d-j---thy-t--j-c---kj-jqn-zwl-----------z-z-q----y"
	"---jj---r-wp-----x----z-t--------j------z---------ot---l--fck----f--l----b---------------------d-t-bcn--c-----a-----"
	"--cs-------------------x------x---l-----------js----jjt----s-j-----p----------jx---d------r--------------l----------"
	"-------------------ewy-yxcz-xg-k-m---d--tsy---d-d-----j--r--q--bglx-lg-gxbqjdz-yjs--jcj--n--gr--cz----m--mmr-x-jn---"
	"g-z-ym-----bd--fbhcj-kyl---dxl--j---q-zs-l-dl--j-c---------l-n--jf--f------f-p-kh--d-qx-tacjdh-zdddr--fqy-k--cw--xh-"
	"--yllzgc-c--s---p---pl-b-jg-d--k--zsqsck-g-gkdjt------x-lq--gj--t-p-----w-j--s---b-j-sj----f--g----------p-j-qj-----"
	"p-------h--y-------l-qbgjwml----dznjqs---ljl----------hs---b---y-m-x----m-l---x-k------m----q-----------x--------bs-"
	"--gwy----bc-x----p-pf----bhb-cf--z--jk-x--g---f---k----------pqy--bn-s-q-s-swhb---hx-bzz-dmn--b-b-bbzklyl-gw-j-w--zm"
	"yw-jql-jx-j----q--c-etl--l-yys-------c--l-h--c-y--xy-jx-cj----s-------s----q---x-sc-----ycjysf---f--s-qsbx-p---sd--k"
	"gjl-dkzjzbdktcsy-pyhst-ldj---y-cg-y-hjd-tmhltxzx-lam---j-ltyfb-q--fbdf-htksq-zy-wc--xc-wh-w-y--e--d-c-gf----n-fydolb"
	"yg-qw-----n-l-y-z--------gcw-hnxp--shm--j-z-d-p----zh-jyf-z-jgk--ldn-s-----gz-ylzmmzyj-k-z-kh---x--x-y-yaps-h-dwhz--"
	"pxagkycxbh-h-kd-jnmy-----gocsln--kx---zz------b-hg-g-y----sc-a-----xtz--w------m----l-szh--j--f-h-swsc-l---y----s-th"
	"-z-kz-s--la-----c----td-----c----f--pslz--p-szn------bdlx--ct-j-kywns--ljhhd---n-y--n---ch--xh-k-------x---------l-z"
	"-m-p-k-y-lk-----sx---s--as---kcsc-s-----sg-j-w-schs-h-qnh--n--da-t-a-----ss-dq------cj--p-gg--------x--m--ld---by--m"
	"----zp---zc-z-s--l-x---h------------cjy-----d--pjq--l-----n-j---qezys----x----g----sp--------rh-------ht---b--------"
	"-------x-----------h-------r----j-------------n---------n--w--qs-jhxynt-d------h-y--kc--wl---lg--gty---py-y-qyq-----"
	"------------h--t---s----zwg-wgpyd--z-----kcq--j-z-b----j--f-btkhzk-----k--jtlbwfzp--k-t-tgpd-n-p---a--mk---dc-----cl"
	"lll----xd-----lg-------d----yfgyd-ks-e-d-yk---k-n---y---------ga-------m--cs--l-pc--sxg--n-yb---p--------d-a----z---"
	"ypj--s--k-t---dj---p-t---q---d---y----d-hb--d-----k-----y----d--------------l-------tc---s--t---t-----s------g-----t"
	"y-----------------s-cm-j-s---y--------sm-----ql---zx--------md------------------j----b---y-----------h---h----------"
	"----r------sr-z-s--k--h--y--------z-c--b-----f-x----kxw--sd-y--g----yh-d-ttf-yyh-s--t--ykjd-k----lh-y--qnf-f--kz-q--"
	"byjtz-x-----d-s--a-------------nn-n-jt---h---srfw-zfm-r--y----dj--yj-m----n----byt--fwyg--nz--d------m-q--q-------m-"
	"--zs----jgsxw--sp-y-js-----j-l--y---j------------c-y---z-w-wlyrjlp--l----s-w----n---n--js--d-e---m-------yw-x-q-----"
	"c---d-----p--wb----------j----h-------b----j--l---------ycst--w----x------------------m-------my--------------a-----"
	"--px-y--c-----g--js------j--x-----a-p-p-l---z---ld-y--c--n-m-----q-----------------------x------------bs------------"
	"--------------n-y--m--------s---------------zj-jky-zcsfbzx-m--bjgnx--hl-n---sc-z-f----r--n--mn-tgz-ysa-sw--h---m-d-z"
	"gzdwybs-cskxsyh---xg----z--hyxj-cr---kbs--j-jymk----f---m-hy---------qmc-g--wl--z-----l-h-------cdsxd--s-f--s-j--wz-"
	"---x-s--egj-c-s-gc----w-yl-y----g----j--g---sycknjwnjpc--j--qtjw--spjx---z---d----s-tl-x-lj-------ct-s-------yq----y"
	"-sq-----y---jq--qc--c-qgxaldb-----kg-----y-xjl---d-y-h-ma----d-k-m--y------x------d------z-------x--jzl-e-y--q--f---"
	"-------j------ll--kc------q-----c-y----j--g-----x-ys-b---zg-----w--------zy--------j--smq-----------r--y-l----------"
	"-s-zw--c----j-------------z----------------------l---d-------------------------y-------------d-------w-------------c"
	"-cz--xc--gzqjg-w--cq-jysb--x-----xj--bsb-sf-s---x--wzt--ppt-lzzbzd--------dz-----xb--c-----wc--zgm----m-wf------h---"
	"----mm-----z--f--fc---------------gpn-b-x-yhyy-gp---z-qb--cg---xlw-kydpd-mg-f-pfx----xdz-----t-----b-askyt----y-----"
	"-----ll------jak--l----c------------x-l---------y-yt--j---gnkbyqn---y-by---s-s-g-y-fh--c---dz----mxh-nj--m-w-r------"
	"-dq-b---g---------------j-gd-lthz----y---sx-t-y--cb-bp--zy-c---p-y-cb---wzc-jd-xhyhlh---x-t--l-dpx--c----y------h-x-"
	"-yw------z-d----jh-----xxby--d--jr-cttt---czwm---t--zc--w--y--sk-bz--c---n--n--x-hkfhtswocc---c--zzy--n-zpb--h-dls--"
	"dy---jpxyngf---q-----c-----zd--y-nxs-------l-h--k-h--s---yh--j----hzx--nhekdtg-xq--k--e-tykcny-y---kq----x--th----y-"
	"h-b---sq-k-wy--h--y-n--qxq-m-fb-c---j--xd--------qc---jw-----h---t--w-h-xc-wh-----djcc-bqcdgd--xz-h--rx-----qc----q-"
	"yy---mby-----e----y----gy--lf-kk---s-------------------y--------c-q-h-s--s---m-------t----m----hk-------w----y-k----"
	"---------------b--z-----q--------d---------chq--j----------c------h---d-----x-am-----ml-l-----------------n---------"
	"-----m---------y------g-g-wjxsrxcwj--qhqz-qj---j-kj-gd----j-j-l----cd--h-----hlfsb-j---shf-sscz--pbdr---t--k-------k"
	"--qz-kmsynbcr--b--f--p--e-zcj---c----jb------ysz-tdkz-fp---tklq-hb--p--pt----b---d---m-cyc-m--f-zdcmnlf-bpl-g-jtb-ta"
	"jzpzb--n--lj-ylnbz--ksjz-g-qs-zk----pzsn-cg----zqa----k--t----w---zl-wtxndjzjh--a-nc---z--r------yt--w----wj-tk--z-l"
	"bhsnj----b--------ls-jhd---p-l---bj--a----cj--nn----x-d----dsdp-z-jtq-p---y-j-------l-tc-j-ktyc-jtq-b--lg--zd-c-g-y-"
	"----y-k--r---zxmt-c---y-------a-yw-c-----kj--j----d-y-y-z----l-qcgl--j-----cz--bc--cs------js-g-ss----n---t-bd------"
	"q-----x--c-g-e--ssbyb-t-------b-s---z-----l--------c-m---z----------mmz-------l-yj-p---------cs--sh--z----z-----c---"
	"-l--qbc-z----n-xl-c-h---g-l--s-------cq-h-q----pb-----s---z-x-c-------------------------p--------h--------z-----r---"
	"---------z-----j--nz----pps-yg-g--fz-----g--xm--d--m-j---ca--j-l-bc---gs--d----jj---s-q-z--f---------------w---zb---"
	"fb-l---d-l-hx--z-w--jc-f-z-z-d-sx--------f--ys---p-zmlp----xj-nz--l---yq--------w-j--rdjzz--xxflgh----sk--w-----y-az"
	"--k---h-c-mh---yxx---t---z-xy----c-mz----z-s-y--mnc-----z-x--c-h-------js--y--sxyyhh--w----c-b--w-h-c-----pjx---q-jg"
	"--z---l---z-x--x----k----s----na-----m---------aj-----m-----b----x----t--------------------------s-xyp--------x--n--"
	"----y-qyg--h-c--m-ztz-------yyrp-f--q---sz-l---w-c-q------m-m-wmbz-s-z--pd----j--x--s-zq--g-cs--w-lxcc-b--z-----d-qs"
	"gt---l--ymm--h-bj-gy-c-p----z-sb-j--g--p-w-f----x----z-lr-m-gzc---sz-l-jc-qf-x-kp--z-xjjg--------t-lb----------bmgqr"
	"r---zxy-gtz-n-d--c---j--j--knz-lc--------c-sz----z-bzzldl-ll-s-s--ql-----g---x-------xz-------kl---yhg--gzl-jhgtgwk-"
	"aaj-z-z-ts-hjj----------yrzdqqhgjz-s--------f-tj---------l-t-mb--------g---z---g----------s---mwl----s-tx--s-f------"
	"----j-l------m-q-g----b--z--j-p-----t--d----------s-cl---k---zg-f----g---y-----l-zz-j-j------------dq---l--------t--"
	"y---d----s---c-c--z-----------------x--j--c--ll-n--m--x----j--c--z-----kqy--l---p-g-l-yclj---x------lr--j--zb-------"
	"---fz--s-x---c--l--q---t-----g--------s-c-c-h---g------j---bz------------q----h----------c-j----------f------------c"
	"t------z-m------x-h----q-y---q-------zy-----g--q--------t-------jc-j-----x---z-----------c-------l--y---t---x-------"
	"--q-yl-----b--------q--------l-cm-----------------------------------------------------------------------------------"
	"--------------------------------qchxy--o----------y----x-qq---k----s--xx-q--g------------s--------zzcbwq--w---------"
	"-----d-sj----mcyt-ds-xsc-p----yl--z---dj-----b--------y--------sod-y-------d-hg--y-----w-m-m--dybbbp-b-m-----z------"
	"--mh---t---c-s---s---j-------cpl-----q-sdm-mqpn-dxcf---f-dq-y-hyayk---dlq-y-ss--y----t--tzq---ch-hc-----x---qs-h---x"
	"srgjcw--t---mgw-----t-j-b-w--x---qf--qyw-yh-sc--d--qm--dm----s-p---g-m-follc-whm-sj--tth----fy-zzgzy----xq---qb-m---"
	"l--hgfms---f--n-lpbq-n--z-lx--pmty-y-bxll-lxpzj--j--h--y---yl-j---s----x-zjl--d------j-w--hx--t--ezr-x---h-hwqp--l-j"
	"-qjjz-zc-hjl-hhnx----zj-b-z-x--h--p--hl---fw----y--hj---m-----t--n--xs--y-x--s-jct-----t-lllww-hd-rjzsfg--sy--y--h--"
	"h------zd---zxxq---lt----s----n-tc---fs-pd--y-g----yc-h--s-c---h-y-tm--------q----y-lzd-jm--y-ss--z--y--qd-zbw---w-x"
	"-w-g--x-k---y-m--------pm--------tm----pj-h-x--z---h-----------j--y---------------ws---k-jx--g-----ty-------k---l--m"
	"--y--p-l--x----s-qs-x-rh--nt-r---cp----d---z---f-h-ztt-b--g---zysmy-lll-bt----------d----h--------p---q--l-----l---l"
	"yc----------m---l----xym-m-l-s-z--h-------y-------yx---l-w----------p---q-l---h---l------tc---s-z---s-c-t-------c---"
	"cg--ssp-------------l----z-----l-----------a--c--d------j-l------s-------lb-----------b-hr------------pz------------"
	"---------------------p--------hy-------x-----------------f---y------------------g--h--------------b------------hbm-d"
	"h----lz-j---z-zcy----j---lc---y---c-qkd--z--wq-------------xjtpj-t-b---zzd-slc--hslt----l-y-------------hl-z---y----"
	"k-fsyh-tjr-x-------w-p---f-----------yh-----w--h-hm-tbf-----------j--------cyy----r--------------d----x-h-j---------"
	"----y-s-----m-xzw-----z---bh----b-t--s------x-----x----x----r---lx-----sy-------y---a------m-s---x---------r--------"
	"--l-----fy----------y----z-s------x----------x------------b----------------------j----------c-z-p---ya---jfybd-y-s-p"
	"-------pb---pd----d---y--y-n-p-m-ml---mm-w----jg--s--q---tx---wgxl--j-----dj-j-p--k------------j------------qq-fq---"
	"a-zgmy-------yknd---b----px-h-f----g-j----n-hj------rs--dxskzysyb--jl-ysl----l-x------n---l----g-mcy---mccs--lh--w--"
	"-xzmw-x--n--h--ymc----hy-------------j--z-a----j--------l-----------xt-x--------------h-----x--l-y-w--d--j----j----m"
	"---w--b------w-m--whx-ld---d--xb----p-k-----jms--z-jfl-------g----l-z----e-y-h---b----h----------------q-ll--ly----l"
	"s---------jc------z--hq-k-q-w-c-y--lqpp-----q----m-------------------x-y-nhyy-rs-------------t--g-----ya------j-cc-l"
	"---x---z--y-l-----------h-p--------bcq----------------w-----------------------z---------g-d-h-pbr-w-------wo----l-pc"
	"-------b----z--------m-b-z-p----gds-t--s-----s--ys-fyb-ntyjs-d-nd-th--z-b----c--f--tj-qw----p----lbzx--------lq---f-"
	"------s-c---jw-----j---t--j----p---s-yn-d-jl-gj--s-nly-ybj-----yl-cfzppgkc--dz--tjj---jxzb-zyjq--y----y-zhy-d--t--p-"
	"--lzc-wsl-hx----tf--c----b--g--wyc-z-d----h-l---y----j-yls-c---wj-b-lcs--dbt-b--l--czz--q---m-yyh--l--------ab------"
	"y-p-----d-l----x-------d---q--------g--d-bb---z-d-jhg--g--j--a-h--w--x----------p---------p--zj-c----------m--y--zp-"
	"y-y--hazyjh-k-gdp--s---m-----g--------md-xm-z---xd--p-d--s--m--mdm-k-k-----------ys----zm-y---z-zx---s-m-----ckjm-t-"
	"y---zz-s---d--------lj--------yj-----ssd-pm-n--jc------------d---kgrm---mc------ksx--mm------------pc-m--p-q-zd-s---"
	"k--t-l-----z-g-q-------------j---------c---mj-----sy-z-s-j-jcda----s--j-g----xfkdms------h--qk---yp-y-zcd-y-ff-z---t"
	"-dzz-f--lb--p---p--szallt-l-c----g-n----g-x-d-x--sxq-----x------------wlymq--------j----p----------d-d--las--b-d---w"
	"d-bqc--d-z-j-b-b--------pjdtc----x----n--c---b---slc----p---zk---g--------------m---q-----q-d--l--h------j---d------"
	"-------j----------m-----c---------------b-----ssl-s-sq----x-qz---------f--zz--zqhzssc-m--x-tp----j-z-------dh-q-----"
	"bj--lc----x----f----------z------------x-----------r-----yyl-qh-xs-t--g--b-q-z---km--b--m------z---mc-qy-z-s-z-jc---"
	"----j--y-h--x-lf--l----c-ss-----r--b--z---k-c--s---------------w---j-z-djj-g------m----------s-----s----------------"
	"--------r---x-jqxqk----czt-qz-b-y----q---yz--tjcj---cw-kk----kd-y---yj-----y-----------l-----------l----------s--z--"
	"--jjz--j-ts------j-d---------zz--y-g---dj-b-j-zs---h-x--bj---s-d--c-l---tsf-b-dzd-z--g-j----p-j-l-b------x-q-d-jq--f"
	"kzt-d-c-k-bs-z--y-p-----------s--xs--y-k-c-g--q-j----b-------g--q---bj-s----kq---gy---zqtldxrj---x--z---z--------h--"
	"--zp----h----k-l-----gf--g---c---lb---c---l--l-----p----d-m--------c---gs--l------d--------d------dh--z-------------"
	"b------bzl-----------j-------------------------------------md------lxz-----------f-------bl--p-cz---tlxs--z-yz----f-"
	"--l--lcj-----c--lzj--s---r-hx-h-zc-------gtq-c--m--zk-------j------n--------m--x--------------w---------------------"
	"s-s----j---z---l--------------------------------------------------------------x--------z----------------------------"
	"------------------q-------q-----------------------------------------------------------------------------------------"
	"---------------------------------------------------m-----f-----y----------------------------------------------------"
	"------z------------------------d---sjyhzxhyjwkjrwy-cpsgn-zlfzwf--nsxgxflzsxzzzbfcsyjdbrjkr-hhgxjljjtgxjx-stjtjxl-xqf"
	"csgswmsbc-lqzzwlzzkxjmltmj-hsddb-gzhdlbmyjfrzf-gclyjbpmlysmsxlszjqqhjzf-g-q-------y-qx----------gw--wh-lf-f----g-gb-"
	"----yzz---z--ls-p----l----z--j--------y-q-m-----g-----l--dxq-x--q--s-------jt-x-----lg--cy-y-w---c----y-y-l-----xx--"
	"q------dcf---zj--p----h-ha-y-------fy---yl-kmzq----des--n-l-zgchyb--s---h-l--tolnjp------m-e-dycs--c-d-g--nd--l---ll"
	"zn----g-l---p-j--------------kc------a-------------yy--sy-sz-r-lj------h--x-z-dgrg-wcgz-ff---jfz-nak-gy-y--q--f-jtsz"
	"zxswz-d-----bgt-------pz-zpjszb--h--yx-ldkljny-kyghgd-j-x-a-pn----z---c--mj--kszqnmnl-b-w-j---c-------------p--f-tn-"
	"--l-l-----p-------t-j-lyy---ff-fqw---zd-----c----x-s-n---es-yj--y----fxnmwttb-l-----g-b----g-b------b--tmx-----z--l-"
	"p-c--------s------ys----tlby--y---s-g----------------------c---z--z-nc-----zz------zj-y-yyc-xjy-----ss--s-s-t------c"
	"s-wz-csy----b-hfbb-zjc-zzdbxgc-l--x-----s--t-w-m---s--------s-c----c--------m-----glj-syf----cy--jan--j-w---m-qy-sxd"
	"-qm----xbf--wz-s-q--kjl-jqqyfbrxjh-fw--zyq---yf--c--b--wl-excczs-yrlts-mq--km-bgmy-jprk----s---b-y--j--g-p-f-----zmf"
	"qmmbcm--c-jl-n--yq-m--ygq----------jc--mcj-f-z-jhyc-rrc-t---x--q--jx-c-----rjth-l-----jrb-qhjd-rhxlyxjsymhzy-------h"
	"b--dts-------lp--l----s---jm----s--ty-g-y-------lfem----kllsw-xhyyy-cm--wj---j-g--j-j--h----f-c-s---cb-tbh---x---pd-"
	"----glf-----yz---s---q-ct-b----qmpwd-h------n---tl------yyyxs--------x------y---el--------b----------f-----z-xrgq---"
	"-p-d-----p-hzj---c-w-kt-x-q-------d----ckk-jl-p--------l-m--s----b-------------k--p-s---zjj--e-h-z--x----rw--s--rs-b"
	"--b------l-jl--y-ym-----p---x-----------l--x------------s----m-m---z--w----c-c---------ns----------qdllkab-----b----"
	"xjr-----------q--h----z-----r---j---------q-y----wjh--l-----bh-w-------y-----------xb-------x---h-x---ssx------r-t--"
	"-----g-------j-----cm--x-o------l-------t----f-----------------z---h-----h-----------m----n----------------q-f------"
	"--------z---m----------------hhlnl--q-----x---y---g--------cq-j--s-------hhmgsxcsym-------wrbp-----y-c------yh-----g"
	"z--jfcd-x--qyz--yhh---q-----z---g-qs-lgd--lcqm--h---yw-z--kj----g----q---zm-zjnsq---sy----e-s-fs---zwfl--c----yt-t-w"
	"z-f-m-q--lmq-x---t----y--p--y--q---q--gw-------ygc--k-x----y---h-b------f--yqm--------f-k---h-d----nlcr---lp-x--y--s"
	"-r-----q---t-------m--------m--scc-a---t-p----l--z--s-----m---mx-----zmx-------p----p----h----h---s----------x----c-"
	"---l------l--------m-rh----m-----lc---------------j------d--q---x---nx------xy------x--j-y-------hqyyb--bc-sc-g-s-n-"
	"---z-----rqj-ym-an--j--d-p----t---x-----w-----p-m------b-x---f-----q----g----cl--zd--k----c---p-yy--qq-----s--llkj--"
	"b-------db-sp---lg--t-j---g-------b-----h-bb-----bcl-----d---r----tc----q---l-z----------q--x-----------------------"
	"--bj------r--------------------p---x-y-t--f----------------------------------------------------------jg-gmscljjxd-yg"
	"jqj---j---g-z-s----j-gc----s---z---h------------y------h------------------------------------------------------z-----"
	"----l------------------------------------------------z---------------yt--------s------------------------------------"
	"-------------------------------------------------------------------------------j------------------------------q-----"
	"----------------------------------------------------------j-----p---------------------------------------------------"
	"yjdfrjjhtrsq-xyxj-jhojynxel-sfsfjzghpzs-zszdzcqz-yyklsgsjhczshdgqgxyzgxchx-jwyqwgyhksseqzzndzfkwyssdclzst-ymcdhjxxyw"
	"eyxczaydmp-mdsxybsqmjmzjmtzqlpjyqzcg---------h----dj-c--w--------s----t------xh-------hy-------b----zbc-------d--x--"
	"-hm-m-------p---m---------------------------------------------------------------------------------------------------"
	"---------------------------------bzf-gczxbzhzftpbgzgejbstgkdmfhyzzjhzllzzgjqzlsfdjssc--gpdl-zfzszyz-zsygc-sn---h-z--"
	"z--jfzgq---------c--jc----yq-----z--l----------t---q-------------z-zpb--d-f-j-zt---yq-t----bd-tj-p----zf--sb-jlg---x"
	"j---k-gqk--l---t-j-qbxdj-j-------x---ly-c--t----c--------hjc--tb-----cz-z-dz-d---z---cj--j--dpr-t--jdcqt-----np-----"
	"-c------------b--b--dc-fc-d-c-j-----p--c-z---z-c-------ll---c-------z-x------------sg--q--d-------t-----------------"
	"--w-----------------------------------------------------------------------------------------------------------------"
	"--------------------------------------czgx-rzelrhgklzzyhzlyqszzj-qljzflnbhgw-czcfj-spyxzlzlxg-cb---l----bb-b----cr--"
	"--c--b---ld--qy-qx-gm-----y-yj-yfw--hz-jywlc--t-yjj-dedp-dz-s--j---mbj---z--tsstphn--xxb-x-tzqd-t-td--tg-scszqf---l-"
	"-----hdl-----kw-y--lb-y--ds-c--y-----b-exhqd---yg--l------tq-y--a----zz-----lz-------j-by-xs----m--l-----y-d-y-h-m-q"
	"-k---fxn--b---x-w-yhtq-pbsb-dzyl--z--y--qz-h--j---ljkz-y---x---fgh---jy---lyb--p-g-t----c---d----dy---e-j-----------"
	"---------b----y---yz-----------s-p-------z---------l--f--ydqzpzyg-j----x--f--yt--tzhgs---ml-c-tzxjc-tjmksl---ysn----"
	"-p-c-z-ckt--hxx-------mq------ht------l--bjx----lj----x------------c-ys-lzyl-j----------f---------------------------"
	"--------------------------------------------------------------------------------------------------------------------"
	"--------j-------------------------q-------------------------------l-------------------------w-----------------------"
	"----------------------------------------------------------------------------------------------z---------------------"
	"----------------------m------------------------------------l--------------------------------------------------------"
	"--a-----------a-----------------------------------------------------------------------------------------------------"
	"--b--------------------------------------------x-------------------------jgyzdzpltqcs-fdmn-c-gbtjdcznbgbqyqjwgkfhdnb"
	"yqzqgbkpbbyzmtjdytblsqm-sxtbnpd-kle--ycjyn-dtldykzzxtd-hqshdgmzsjycctayrzlp-ltlkxslzcggexclfxlkjrtlqjaqzncmb-dkk-xgl"
	"czj-xjhptdjjmzq-kqsecqzds-hadml-fmmz-gn-jnnlgbyjb-btml-yjdzx-cjlpldlpcqdhl-zlycb--x--------c------------------------"
	"--------------------------------------------------------------------------------mssy-bwcrwxhjmkmzngwtml-fghkjyl-yycx"
	"whyyclq-kqht-qk-ff-d-qw-------b---r--jfyyzj----zzd-at-p-fjllcx-lmj--x---gs-----b---z-dy-c--nyxp-z-----c-pltx--------"
	"-----yl-w--s-h-sy---g--wax--z----------s--------x--h--l--z--sjn-qy--xyjg-z--cyjc--l--d----------c-------yyx----w---l"
	"--ll-b----w-xj--x-tzpm---hsf---n--l-----s-x-----------y--a--x-l-----bp----m-------------------qj--j--j-d--f-kmm--y--"
	"-g---------jx-b-----d--------y-----x-a---dq-m---q-------j--r-------j-b-j--g-b---------------------------------------"
	"----------wr-hwytj-----y-ys-----------------------------------------------------------------------------------------"
	"-------------------------------------ydqhxsxxwgdqbshyllpjjj-hy-kyp-th-ykt-ezyenmdsh-crpq----------------------------"
	"----------f--bsj-s--pbb---fs-------sx------------------------------------y--c-----------------------------t---------"
	"----------------------------yt-------------s-j-xtxrycfyjsbs-yerx--j-bb-eyn--hxgck-sc-m-lxjmsznskgx-----------f--x---"
	"--------------------------------------------------------------------------------------------------------------------"
	"----------------------------------------------------------------------------mytxcq-blzssfjzztnjydxm-jhlhp-lcy--jqqkz"
	"--cpz-swalqsblcczj-xg-------tj----dkh-h-g---bkq--l-----kb----d-s----g------b-k----m----t-z-r---------x-j-------z----"
	"q------j---b-----------h---l-----------c--g--------yg----khbpm-yxl---w-w-c--m---------------------------------------"
	"--------------------------------------------------------------------------------------------------------------------"
	"--------------------------------------------------------------------------------------------------------------------"
	"------------------------y--y-lf--bpnl--f-bh-tgj-we----jjx-xxglljlstgsh-j-ql-zfkcgnndj-szfd-----seqfh--bsaqtgy--lbxbm"
	"my--gslz--l---------------------------------------------------------------------------------------------------------"
	"--------------------------------------------------------------------------------------------------------------------"
	"-----------------------------------------------------------------------------------------------njjym-oy-bzgdly-y-cqy"
	"-tszegx--glh-bljgeyxtwqma-bp-c---h-eg-cmw-y----jh-yzlljjyl--yh-g----------cl--j----jz--m------ql---------s-l------m-"
	"------------q---f--m-mh-----h----h---sln-h--q---m--dcy-yx-q--q-l-dc----a---------z-ff-m------------y-td-n--g---t-p--"
	"----s-f---------y--w-------x-y-b-qh-----z-----------qj---------------------------------------------cc--jlbtzyycqw---"
	"---------lgk---gy-----";

// Characters of two readings that names and titles of this field use: the other letter. 重 zhong chong, 行 xing hang, 长 chang zhang …
static const struct {
	uint16_t c;
	char other;
} readings[] = {
	{ 0x4e50, 'y' }, { 0x4ec7, 'q' }, { 0x4f1a, 'k' }, { 0x4f20, 'z' }, { 0x4f3a, 'c' }, { 0x4fbf, 'p' },
	{ 0x5239, 'c' }, { 0x5319, 's' }, { 0x533a, 'o' }, { 0x5355, 's' }, { 0x53a6, 's' }, { 0x53c2, 's' },
	{ 0x53ec, 's' }, { 0x5413, 'h' }, { 0x5708, 'j' }, { 0x58f3, 'q' }, { 0x5947, 'j' }, { 0x5bbf, 'x' },
	{ 0x5c09, 'y' }, { 0x5df7, 'h' }, { 0x5e62, 'z' }, { 0x5f39, 't' }, { 0x6298, 's' }, { 0x63d0, 'd' },
	{ 0x665f, 's' }, { 0x66fe, 'c' }, { 0x671d, 'z' }, { 0x67e5, 'z' }, { 0x6821, 'j' }, { 0x69db, 'k' },
	{ 0x6cca, 'p' }, { 0x70ae, 'b' }, { 0x7387, 's' }, { 0x755c, 'c' }, { 0x756a, 'p' }, { 0x76db, 'c' },
	{ 0x7701, 'x' }, { 0x79d8, 'b' }, { 0x7cfb, 'j' }, { 0x7ed9, 'j' }, { 0x812f, 'p' }, { 0x8365, 'y' },
	{ 0x8398, 'x' }, { 0x85cf, 'z' }, { 0x86e4, 'h' }, { 0x884c, 'h' }, { 0x8983, 'q' }, { 0x89e3, 'x' },
	{ 0x8bc6, 'z' }, { 0x8c03, 't' }, { 0x8d3e, 'g' }, { 0x8f66, 'j' }, { 0x8f67, 'g' }, { 0x8f9f, 'p' },
	{ 0x91cd, 'c' }, { 0x94c5, 'y' }, { 0x957f, 'z' }, { 0x964d, 'x' },
};

char pinyin_initial(uint32_t c)
{
	if (c < FIRST || c > LAST || initials[c - FIRST] == '-')
		return 0;
	return initials[c - FIRST];
}

char pinyin_other(uint32_t c)
{
	size_t lo = 0, hi = ARRAY_LEN(readings);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (readings[mid].c == c)
			return readings[mid].other;
		if (readings[mid].c < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

static uint32_t decode(const uint8_t *p, size_t n)
{
	if (n == 3)
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	return n == 1 ? p[0] : 0;
}

// Letters and digits stay, ASCII capitals become small; what has no letter is left out.
static char letter_of(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	return pinyin_initial(c);
}

// A character in its other reading, with what stands around it.
static void add_window(struct buf *out, const char *letters, const char *others, size_t n, size_t at)
{
	size_t from = at > WINDOW ? at - WINDOW : 0, to = MIN(n, at + WINDOW + 1);
	buf_add(out, letters + from, at - from);
	buf_add(out, &others[at], 1);
	buf_add(out, letters + at + 1, to - at - 1);
	buf_add_u8(out, '\n');
}

static void add_line(struct buf *out, struct str line)
{
	char letters[PINYIN_LINE], others[PINYIN_LINE];
	size_t n = 0, chinese = 0, two = 0;
	for (size_t i = 0, k; i < line.n && n < PINYIN_LINE; i += k) {
		const uint8_t *p = (const uint8_t *)line.p + i;
		k = utf8_sequence(p, line.n - i);
		uint32_t c = decode(p, k);
		k = MAX(k, (size_t)1);
		if (!(letters[n] = letter_of(c)))
			continue;
		chinese += c >= FIRST;
		others[n] = pinyin_other(c);
		two += others[n++] != 0;
	}
	if (chinese == 0)
		return;
	buf_add(out, letters, n);
	buf_add_u8(out, '\n');
	for (size_t i = 0; two && i < n; i++)
		if (others[i])
			add_window(out, letters, others, n, i);
	for (size_t i = 0; two > 1 && i < n; i++)
		letters[i] = others[i] ? others[i] : letters[i];
	if (two > 1) {
		buf_add(out, letters, n);
		buf_add_u8(out, '\n');
	}
}

void pinyin_initials(struct str text, struct buf *out)
{
	while (text.n) {
		struct str line = str_cut(&text, '\n');
		add_line(out, line);
	}
}

bool pinyin_letters(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!((word.p[i] >= 'a' && word.p[i] <= 'z') || (word.p[i] >= '0' && word.p[i] <= '9')))
			return false;
	return word.n > 0;
}
