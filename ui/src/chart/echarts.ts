// The parts of ECharts in use, and nothing else of it.
import { init, use } from 'echarts/core'
import { LineChart, ScatterChart } from 'echarts/charts'
import { DataZoomInsideComponent, DataZoomSliderComponent, GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { CanvasRenderer } from 'echarts/renderers'

use([LineChart, ScatterChart, GridComponent, TooltipComponent, DataZoomInsideComponent, DataZoomSliderComponent, MarkLineComponent, CanvasRenderer])
export { init }
export type { ECharts } from 'echarts/core'
